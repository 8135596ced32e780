// Reads server-sent events (WHATWG HTML, section 9.2) from the body of a fetch: EventSource cannot post.

function parse(block) {
  const lines = block.split(/\r?\n/);
  const values = (name) => lines.filter((line) => line.startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).replace(/^ /, ""));
  const data = values("data");
  return data.length ? { name: values("event")[0] ?? "message", data: JSON.parse(data.join("\n")) } : null;
}

export async function* eventsOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split(/\r?\n\r?\n/);
    rest = blocks.pop();
    yield* blocks.map(parse).filter(Boolean);
  }
}
