// The `@openrouter/sdk` package: base URL from OPENROUTER_BASE_URL. It checks every answer against OpenRouter's OpenAPI document.
import { OpenRouter } from "@openrouter/sdk";
import { tool } from "@openrouter/sdk/lib/tool";
import { OpenRouterError } from "@openrouter/sdk/models/errors";
import { z } from "zod";
import { BAD_KEY, CITY, KEY, QUESTION, SAY, caught, list, run } from "./suite.mjs";

const sdk = (apiKey) => new OpenRouter({ apiKey, retryConfig: { strategy: "none" }, timeoutMs: 60_000 });
const client = sdk(KEY);
const user = (content) => ({ role: "user", content });
const send = (model, messages, fields = {}) => client.chat.send({ chatRequest: { model, messages, ...fields } });
const ask = (model, content, fields) => send(model, [user(content)], fields);
const respond = (model, input, fields = {}) => client.responses.send({ responsesRequest: { model, input, ...fields } });
const told = (error) => ({ name: error.constructor.name, status: error.statusCode ?? null, api: error instanceof OpenRouterError });

const FUNCTION = { name: "weather", description: "The weather of a city", parameters: CITY };
const TOOL = { type: "function", function: FUNCTION };
const FORMAT = { type: "json_schema", jsonSchema: { name: "place", strict: true, schema: CITY } };

/** One assistant message of a stream. */
function gather(chunks) {
  const message = { role: "assistant", content: null, reasoningDetails: [], toolCalls: [] };
  for (const { delta } of chunks.flatMap((chunk) => chunk.choices)) {
    message.reasoningDetails.push(...(delta.reasoningDetails ?? []));
    for (const { index, id, function: part } of delta.toolCalls ?? []) {
      message.toolCalls[index] ??= { id, type: "function", function: { name: part.name, arguments: "" } };
      message.toolCalls[index].function.arguments += part.arguments ?? "";
    }
  }
  return message;
}

async function loop(model, stream) {
  const asked = user(`${QUESTION} #${stream ? "loop_streamed" : "loop"}`);
  const fields = { tools: [TOOL], reasoning: { effort: "low" } };
  const first = await send(model, [asked], { ...fields, stream });
  const message = stream ? gather(await list(first)) : first.choices[0].message;
  const [call] = message.toolCalls;
  const last = await send(model, [asked, message, { role: "tool", toolCallId: call.id, content: "sunny" }], fields);
  return { name: call.function.name, arguments: JSON.parse(call.function.arguments), text: last.choices[0].message.content };
}

/** The SDK's own loop, over `/responses`. */
async function agent(model, name, text) {
  const called = [];
  const execute = (given) => (called.push(given), "sunny");
  const weather = tool({ name: "weather", description: FUNCTION.description, inputSchema: z.object({ city: z.string() }), execute });
  const running = client.callModel({ model, input: `${QUESTION} #${name}`, tools: [weather], reasoning: { effort: "low" } });
  return { called, text: await text(running) };
}

await run({
  async chat(model) {
    const { choices, usage, id, model: served } = await ask(model, SAY.fine, { temperature: 0.5, maxTokens: 50 });
    const { message, finishReason: finish } = choices[0];
    return { text: message.content, finish, tokens: [usage.promptTokens, usage.completionTokens], id: id.slice(0, 4), model: served };
  },
  async stream(model) {
    const choices = (await list(await ask(model, SAY.echo, { stream: true }))).flatMap((chunk) => chunk.choices);
    return { text: choices.map(({ delta }) => delta.content ?? "").join(""), finish: choices.map((choice) => choice.finishReason).filter(Boolean) };
  },
  loop: (model) => loop(model, false),
  loop_streamed: (model) => loop(model, true),
  agent: (model) => agent(model, "agent", (running) => running.getText()),
  agent_streamed: (model) => agent(model, "agent_streamed", async (running) => (await list(running.getTextStream())).join("")),
  async structured(model) {
    return JSON.parse((await ask(model, SAY.place, { responseFormat: FORMAT })).choices[0].message.content);
  },
  async structured_streamed(model) {
    const chunks = await list(await ask(model, SAY.place, { responseFormat: FORMAT, stream: true }));
    return JSON.parse(chunks.flatMap((chunk) => chunk.choices).map(({ delta }) => delta.content ?? "").join(""));
  },
  async short(model) {
    return (await ask(model, SAY.short)).choices[0].finishReason;
  },
  async response(model) {
    const { output, status, usage } = await respond(model, SAY.fine);
    return { text: output.at(-1).content[0].text, status, tokens: [usage.inputTokens, usage.outputTokens] };
  },
  async response_streamed(model) {
    const events = await list(await respond(model, SAY.echo, { stream: true }));
    const text = events.filter((event) => event.type === "response.output_text.delta").map((event) => event.delta).join("");
    return { text, last: events.at(-1).type };
  },
  refused_429: (model) => caught(() => ask(model, SAY.refuse(429)), told),
  refused_400: (model) => caught(() => ask(model, SAY.refuse(400)), told),
  refused_500: (model) => caught(() => ask(model, SAY.refuse(500)), told),
  response_refused_429: (model) => caught(() => respond(model, SAY.refuse(429)), told),
  async broken(model) {
    const chunks = await list(await ask(model, SAY.broken, { stream: true }));
    const choices = chunks.flatMap((chunk) => chunk.choices);
    return {
      text: choices.map(({ delta }) => delta.content ?? "").join(""),
      finish: choices.map((choice) => choice.finishReason).filter(Boolean),
      code: chunks.find((chunk) => chunk.error)?.error.code ?? null,
    };
  },
  stranger: (model) => caught(() => sdk(BAD_KEY).chat.send({ chatRequest: { model, messages: [user("x")] } }), told),
  nowhere: () => caught(() => ask("poly/nothing", "x"), told),
  async models(model) {
    const [page] = await list(await client.models.list());
    return page.result.data.filter(({ id }) => id === model).length;
  },
});
