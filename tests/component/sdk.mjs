// The official JavaScript SDK as a program uses it. Arguments: what to do, base URL, key, further options as JSON; the outcome is JSON.
import dns from "node:dns";
import OpenAI from "openai";

// Every name of this machine, as browsers resolve them; not every system's resolver does.
const { lookup } = dns;
dns.lookup = (name, ...rest) => lookup(name.endsWith(".localhost") ? "127.0.0.1" : name, ...rest);

const [, , scenario, baseURL, apiKey, options = "{}"] = process.argv;
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0, ...JSON.parse(options) });
const hello = { model: "demo", messages: [{ role: "user", content: "hello" }] };
const tools = [{ type: "function", function: { name: "get_weather", parameters: { type: "object", properties: { city: { type: "string" } } } } }];

const scenarios = {
  async chat() {
    const { data, response, request_id } = await client.chat.completions.create(hello).withResponse();
    return { text: data.choices[0].message.content, finish: data.choices[0].finish_reason, usage: data.usage, request_id, session: response.headers.get("x-session-key") };
  },
  async stream() {
    const stream = await client.chat.completions.create({ ...hello, stream: true, stream_options: { include_usage: true } });
    let [text, usage] = ["", null];
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? "";
      usage = chunk.usage ?? usage;
    }
    return { text, usage };
  },
  async leave() {
    const signal = AbortSignal.timeout(400);
    const stream = await client.chat.completions.create({ ...hello, stream: true }, { signal });
    let chunks = 0;
    for await (const _ of stream) chunks += 1;
    return { chunks };
  },
  async tools() {
    const messages = [{ role: "user", content: 'use get_weather {"city": "Bergen"}' }];
    const asked = (await client.chat.completions.create({ model: "demo", messages, tools })).choices[0];
    const [call] = asked.message.tool_calls;
    messages.push(asked.message, { role: "tool", tool_call_id: call.id, content: "It rains in Bergen." });
    const answered = (await client.chat.completions.create({ model: "demo", messages, tools })).choices[0];
    return { finish: asked.finish_reason, name: call.function.name, arguments: JSON.parse(call.function.arguments), text: answered.message.content };
  },
  async models() {
    const found = [];
    for await (const model of client.models.list()) found.push(model.id);
    return found;
  },
  async tolerant() {
    const answer = await client.chat.completions.create({ ...hello, response_format: { type: "json_object" }, user: "u", unheard_of: { a: [1] } });
    return answer.choices[0].finish_reason;
  },
  create: (fields) => client.chat.completions.create({ ...hello, ...fields }),
  "other-model": () => scenarios.create({ model: "gpt-9" }),
  "two-choices": () => scenarios.create({ n: 2 }),
};

try {
  console.log(JSON.stringify(await scenarios[scenario]()));
} catch (error) {
  const { status, code, param, type, requestID } = error;
  console.log(JSON.stringify({ error: error.constructor.name, status, code, param, type, has_request_id: Boolean(requestID) }));
}
