// Vercel's `ai` with `@openrouter/ai-sdk-provider`: the base URL comes from OPENROUTER_BASE_URL where the provider reads it, else by option.
import { createOpenRouter } from "@openrouter/ai-sdk-provider";
import { APICallError, Output, generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";
import { BAD_KEY, KEY, ORIGIN, QUESTION, SAY, caught, list, run } from "./suite.mjs";

globalThis.AI_SDK_LOG_WARNINGS = false;
const provider = (apiKey) => createOpenRouter({ apiKey, baseURL: `${ORIGIN}/api/v1` });
const openrouter = provider(KEY);
const call = (model, prompt, fields = {}) => ({ model: openrouter(model, { usage: { include: true } }), prompt, maxRetries: 0, ...fields });
const told = (error) => ({ name: error.name, status: error.statusCode ?? null, api: APICallError.isInstance(error) });
const Place = z.object({ city: z.string() });

/** `ai` runs the tool and sends the reasoning back by itself. */
async function loop(model, name, generate) {
  const called = [];
  const execute = async (given) => (called.push(given), "sunny");
  const weather = tool({ description: "The weather of a city", inputSchema: Place, execute });
  const providerOptions = { openrouter: { reasoning: { effort: "low" } } };
  const done = generate(call(model, `${QUESTION} #${name}`, { tools: { weather }, stopWhen: stepCountIs(5), providerOptions }));
  const steps = (await (await done).steps).map((step) => step.finishReason);
  return { called, steps, text: await (await done).text };
}

await run({
  async text(model) {
    const { text, finishReason: finish, usage, response } = await generateText(call(model, SAY.fine, { temperature: 0.5, maxOutputTokens: 50 }));
    return { text, finish, tokens: [usage.inputTokens, usage.outputTokens], id: response.id.slice(0, 4), model: response.modelId };
  },
  async stream(model) {
    const stream = streamText(call(model, SAY.echo));
    return { text: (await list(stream.textStream)).join(""), finish: await stream.finishReason };
  },
  loop: (model) => loop(model, "loop", generateText),
  loop_streamed: (model) => loop(model, "loop_streamed", (options) => {
    const stream = streamText(options);
    return stream.consumeStream().then(() => stream);
  }),
  async reasoning(model) {
    return (await generateText(call(model, `${QUESTION} #reasoning`, { tools: { weather: tool({ inputSchema: Place }) } }))).reasoningText;
  },
  async structured(model) {
    return (await generateText(call(model, SAY.place, { output: Output.object({ schema: Place }) }))).output;
  },
  async structured_streamed(model) {
    const stream = streamText(call(model, SAY.place, { output: Output.object({ schema: Place }) }));
    await stream.consumeStream();
    return stream.output;
  },
  async short(model) {
    return (await generateText(call(model, SAY.short))).finishReason;
  },
  refused_429: (model) => caught(() => generateText(call(model, SAY.refuse(429))), told),
  refused_400: (model) => caught(() => generateText(call(model, SAY.refuse(400))), told),
  refused_500: (model) => caught(() => generateText(call(model, SAY.refuse(500))), told),
  async refused_stream(model) {
    const errors = [];
    const stream = streamText(call(model, SAY.refuse(429), { onError: ({ error }) => errors.push(told(error)) }));
    await stream.consumeStream();
    return errors;
  },
  async broken(model) {
    const errors = [];
    const stream = streamText(call(model, SAY.broken, { onError: ({ error }) => errors.push(String(error.message ?? error)) }));
    return { text: (await list(stream.textStream)).join(""), errors: errors.length, finish: await stream.finishReason };
  },
  stranger: (model) => caught(() => generateText({ model: provider(BAD_KEY)(model), prompt: "x", maxRetries: 0 }), told),
  nowhere: () => caught(() => generateText(call("poly/nothing", "x")), told),
});
