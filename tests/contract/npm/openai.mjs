// The `openai` package: base URL and key come from OPENAI_BASE_URL and OPENAI_API_KEY.
import OpenAI from "openai";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";
import { BAD_KEY, CITY, QUESTION, SAY, caught, list, run } from "./suite.mjs";

const client = new OpenAI({ maxRetries: 0, timeout: 60_000 });
const ask = (model, content, fields = {}) => client.chat.completions.create({ model, messages: [{ role: "user", content }], ...fields });
const answer = (model, input, fields = {}) => client.responses.create({ model, input, ...fields });
const told = (error) => ({ name: error.constructor.name, status: error.status, code: error.error?.code ?? error.code ?? null, api: error instanceof OpenAI.APIError });

const FUNCTION = { name: "weather", description: "The weather of a city", parameters: CITY };
const TOOL = { type: "function", function: FUNCTION };
const Place = z.object({ city: z.string() });

/** One assistant message of a stream, put together as OpenRouter's documents say. */
function gather(chunks) {
  const message = { role: "assistant", content: null, reasoning_details: [], tool_calls: [] };
  for (const { delta } of chunks.flatMap((chunk) => chunk.choices)) {
    message.reasoning_details.push(...(delta.reasoning_details ?? []));
    for (const { index, id, function: part } of delta.tool_calls ?? []) {
      message.tool_calls[index] ??= { id, type: "function", function: { name: part.name, arguments: "" } };
      message.tool_calls[index].function.arguments += part.arguments ?? "";
    }
  }
  return message;
}

async function loop(model, streamed) {
  const asked = { role: "user", content: `${QUESTION} #${streamed ? "loop_streamed" : "loop"}` };
  const fields = { tools: [TOOL], reasoning: { effort: "low" } };
  const first = await ask(model, asked.content, { ...fields, stream: streamed });
  const message = streamed ? gather(await list(first)) : first.choices[0].message;
  const [call] = message.tool_calls;
  const messages = [asked, message, { role: "tool", tool_call_id: call.id, content: "sunny" }];
  const last = await client.chat.completions.create({ model, messages, ...fields });
  return { name: call.function.name, arguments: JSON.parse(call.function.arguments), text: last.choices[0].message.content };
}

async function runner(model, stream) {
  const called = [];
  const weather = { ...FUNCTION, parse: JSON.parse, function: (given) => (called.push(given), "sunny") };
  const messages = [{ role: "user", content: QUESTION }];
  const running = client.chat.completions.runTools({ model, messages, stream, tools: [{ type: "function", function: weather }] });
  return { called, text: await running.finalContent() };
}

async function responses(model, streamed) {
  const fields = { tools: [{ type: "function", strict: true, ...FUNCTION }], include: ["reasoning.encrypted_content"], store: false };
  const asked = { role: "user", content: `${QUESTION} #${streamed ? "response_loop_streamed" : "response_loop"}` };
  const first = streamed ? await client.responses.stream({ model, input: [asked], ...fields }).finalResponse() : await answer(model, [asked], fields);
  const call = first.output.find((item) => item.type === "function_call");
  const result = { type: "function_call_output", call_id: call.call_id, output: "sunny" };
  const last = await answer(model, [asked, ...first.output, result], fields);
  return { name: call.name, arguments: JSON.parse(call.arguments), text: last.output_text };
}

await run({
  async chat(model) {
    const { choices, usage, id, model: served } = await ask(model, SAY.fine, { temperature: 0.5, max_tokens: 50 });
    const { message, finish_reason: finish } = choices[0];
    return { text: message.content, finish, tokens: [usage.prompt_tokens, usage.completion_tokens], id: id.slice(0, 4), model: served, cost: usage.cost };
  },
  async stream(model) {
    const chunks = await list(await ask(model, SAY.echo, { stream: true }));
    const choices = chunks.flatMap((chunk) => chunk.choices);
    return { text: choices.map(({ delta }) => delta.content ?? "").join(""), finish: choices.map((choice) => choice.finish_reason).filter(Boolean) };
  },
  async helper(model) {
    const final = await client.chat.completions.stream({ model, messages: [{ role: "user", content: SAY.echo }] }).finalChatCompletion();
    return { text: final.choices[0].message.content, finish: [final.choices[0].finish_reason] };
  },
  loop: (model) => loop(model, false),
  loop_streamed: (model) => loop(model, true),
  runner: (model) => runner(model, false),
  runner_streamed: (model) => runner(model, true),
  async structured(model) {
    const format = { response_format: zodResponseFormat(Place, "place") };
    const parsed = await client.chat.completions.parse({ model, messages: [{ role: "user", content: SAY.place }], ...format });
    return parsed.choices[0].message.parsed;
  },
  async structured_streamed(model) {
    const format = { response_format: zodResponseFormat(Place, "place") };
    const final = await client.chat.completions.stream({ model, messages: [{ role: "user", content: SAY.place }], ...format }).finalChatCompletion();
    return final.choices[0].message.parsed;
  },
  async short(model) {
    return (await ask(model, SAY.short)).choices[0].finish_reason;
  },
  async response(model) {
    const response = await answer(model, SAY.fine);
    return { text: response.output_text, status: response.status, tokens: [response.usage.input_tokens, response.usage.output_tokens] };
  },
  async response_streamed(model) {
    const events = await list(await answer(model, SAY.echo, { stream: true }));
    const text = events.filter((event) => event.type === "response.output_text.delta").map((event) => event.delta).join("");
    return { text, last: events.at(-1).type };
  },
  response_loop: (model) => responses(model, false),
  response_loop_streamed: (model) => responses(model, true),
  async response_structured(model) {
    return (await client.responses.parse({ model, input: SAY.place, text: { format: zodTextFormat(Place, "place") } })).output_parsed;
  },
  refused_429: (model) => caught(() => ask(model, SAY.refuse(429)), told),
  refused_400: (model) => caught(() => ask(model, SAY.refuse(400)), told),
  refused_500: (model) => caught(() => ask(model, SAY.refuse(500)), told),
  response_refused_429: (model) => caught(() => answer(model, SAY.refuse(429)), told),
  async broken(model) {
    let text = "";
    const error = await caught(async () => {
      for await (const chunk of await ask(model, SAY.broken, { stream: true })) text += chunk.choices[0]?.delta.content ?? "";
    }, told);
    return { text, error };
  },
  stranger: (model) => caught(() => client.withOptions({ apiKey: BAD_KEY }).chat.completions.create({ model, messages: [{ role: "user", content: "x" }] }), told),
  nowhere: () => caught(() => ask("poly/nothing", "x"), told),
  async models(model) {
    return (await list(client.models.list())).filter(({ id }) => id === model).length;
  },
});
