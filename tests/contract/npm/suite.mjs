// Runs the cases of one SDK over the models of all upstream dialects, and prints {dialect: {case: result}} as JSON.
// A case that throws is {thrown}: the Python test that reads it fails with that.

export const KEY = process.env.GATEWAY_KEY;
export const ORIGIN = process.env.GATEWAY_ORIGIN;
export const BAD_KEY = `sk-or-v1-${"0".repeat(64)}`;
export const QUESTION = "How is the weather in Paris?";
/** What an answer to SAY.place and the like fits. */
export const CITY = { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false };

/** What the mock's script answers, by the words of the last message (conftest.py). */
export const SAY = { fine: "say fine", echo: "one two three", short: "stop short", place: "name a place", broken: "break off", refuse: (status) => `refuse ${status}` };

/** The cases that are the same for every dialect of an SDK: one after another, so that a failing upstream disturbs no other case. */
export async function run(cases) {
  const dialects = process.env.DIALECTS.split(" ");
  const columns = await Promise.all(dialects.map((dialect) => column(cases, dialect)));
  console.log(JSON.stringify(Object.fromEntries(dialects.map((dialect, index) => [dialect, columns[index]]))));
}

async function column(cases, dialect) {
  const results = {};
  for (const [name, play] of Object.entries(cases)) {
    try {
      results[name] = await play(`poly/${dialect}`, dialect);
    } catch (error) {
      results[name] = { thrown: String(error.stack ?? error).slice(0, 2000) };
    }
  }
  return results;
}

/** What a call throws, told by `tell`. */
export async function caught(call, tell) {
  try {
    await call();
  } catch (error) {
    return tell(error);
  }
  return "nothing was thrown";
}

/** All items of an async iterable. */
export async function list(items) {
  const found = [];
  for await (const item of items) found.push(item);
  return found;
}
