// The `@anthropic-ai/sdk` package: base URL and key come from ANTHROPIC_BASE_URL and ANTHROPIC_API_KEY. What it has under `beta` calls
// `/v1/messages?beta=true`.
import Anthropic from "@anthropic-ai/sdk";
import { betaTool } from "@anthropic-ai/sdk/helpers/beta/json-schema";
import { zodOutputFormat } from "@anthropic-ai/sdk/helpers/zod";
import { z } from "zod";
import { BAD_KEY, CITY, KEY, QUESTION, SAY, caught, list, run } from "./suite.mjs";

const client = new Anthropic({ maxRetries: 0, timeout: 60_000 });
const user = (content) => ({ role: "user", content });
const request = (model, content, fields = {}) => ({ model, max_tokens: 4096, messages: [user(content)], ...fields });
const ask = (model, content, fields) => client.messages.create(request(model, content, fields));
const text = (message) => message.content.filter((block) => block.type === "text").map((block) => block.text).join("");
const told = (error) => ({ name: error.constructor.name, status: error.status ?? null, type: error.error?.error?.type ?? null, api: error instanceof Anthropic.APIError });

const TOOL = { name: "weather", description: "The weather of a city", input_schema: CITY };
const THINKING = { type: "enabled", budget_tokens: 1024 };
const Place = z.object({ city: z.string() });

async function loop(messages, model, streamed, name) {
  const asked = `${QUESTION} #${name}`;
  const fields = { tools: [TOOL], thinking: THINKING };
  const first = streamed ? await messages.stream(request(model, asked, fields)).finalMessage() : await messages.create(request(model, asked, fields));
  const call = first.content.find((block) => block.type === "tool_use");
  const thoughts = first.content.filter((block) => block.type === "thinking" && block.thinking).map((block) => block.thinking);
  const result = { type: "tool_result", tool_use_id: call.id, content: "sunny" };
  const history = [user(asked), { role: "assistant", content: first.content }, user([result])];
  const last = await messages.create(request(model, "", { ...fields, messages: history }));
  return { name: call.name, input: call.input, stop: first.stop_reason, thoughts, text: text(last) };
}

async function runner(model, stream) {
  const called = [];
  const weather = betaTool({ name: "weather", description: TOOL.description, inputSchema: CITY, run: (given) => (called.push(given), "sunny") });
  const name = stream ? "runner_streamed" : "runner";
  const final = await client.beta.messages.toolRunner({ ...request(model, `${QUESTION} #${name}`, { thinking: THINKING }), stream, tools: [weather] }).runUntilDone();
  return { called, text: text(final) };
}

await run({
  async message(model) {
    const message = await ask(model, SAY.fine, { system: "Be brief." });
    const { usage, stop_reason: stop, id, model: served } = message;
    return { text: text(message), stop, tokens: [usage.input_tokens + (usage.cache_read_input_tokens ?? 0), usage.output_tokens], id: id.slice(0, 4), model: served };
  },
  async stream(model) {
    let said = "";
    const stream = client.messages.stream(request(model, SAY.echo)).on("text", (delta) => (said += delta));
    const message = await stream.finalMessage();
    return { said, text: text(message), stop: message.stop_reason };
  },
  async events(model) {
    const types = (await list(await ask(model, SAY.echo, { stream: true }))).map((event) => event.type);
    return [types[0], types.at(-1)];
  },
  async beta(model) {
    return text(await client.beta.messages.create(request(model, SAY.echo, { betas: ["context-1m-2025-08-07"] })));
  },
  async beta_stream(model) {
    return text(await client.beta.messages.stream(request(model, SAY.echo)).finalMessage());
  },
  loop: (model) => loop(client.messages, model, false, "loop"),
  loop_streamed: (model) => loop(client.messages, model, true, "loop_streamed"),
  beta_loop: (model) => loop(client.beta.messages, model, true, "beta_loop"),
  runner: (model) => runner(model, false),
  runner_streamed: (model) => runner(model, true),
  thread: (model) => caught(() => client.beta.messages.thread({ model, max_tokens: 100 }).send(user("x")), told),
  async forced(model) {
    const message = await ask(model, SAY.echo, { tools: [TOOL], tool_choice: { type: "tool", name: "weather" } });
    return Object.keys(message.content.find((block) => block.type === "tool_use").input);
  },
  async structured(model) {
    return (await client.messages.parse(request(model, SAY.place, { output_config: { format: zodOutputFormat(Place) } }))).parsed_output;
  },
  async structured_streamed(model) {
    return (await client.messages.stream(request(model, SAY.place, { output_config: { format: zodOutputFormat(Place) } })).finalMessage()).parsed_output;
  },
  async short(model) {
    return (await ask(model, SAY.short)).stop_reason;
  },
  async count(model) {
    return (await client.messages.countTokens({ model, messages: [user("one two three")] })).input_tokens > 0;
  },
  refused_429: (model) => caught(() => ask(model, SAY.refuse(429)), told),
  refused_400: (model) => caught(() => ask(model, SAY.refuse(400)), told),
  refused_500: (model) => caught(() => ask(model, SAY.refuse(500)), told),
  refused_stream: (model) => caught(() => client.messages.stream(request(model, SAY.refuse(429))).finalMessage(), told),
  async broken(model) {
    let said = "";
    const error = await caught(() => client.messages.stream(request(model, SAY.broken)).on("text", (delta) => (said += delta)).finalMessage(), told);
    return { said, error };
  },
  async bearer(model) {
    return text(await new Anthropic({ apiKey: null, authToken: KEY, maxRetries: 0 }).messages.create(request(model, SAY.echo)));
  },
  stranger: (model) => caught(() => client.withOptions({ apiKey: BAD_KEY }).messages.create(request(model, "x")), told),
  nowhere: () => caught(() => ask("poly/nothing", "x"), told),
  async models(model) {
    return (await list(client.models.list())).filter(({ id }) => id === model).length;
  },
});
