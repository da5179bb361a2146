const shown = document.getElementById("state");
const answer = await fetch("live/events");
const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
for (let rest = ""; ; ) {
  const { value, done } = await reader.read();
  if (done) break;
  const events = (rest + value).split("\n\n");
  rest = events.pop();
  for (const event of events) {
    const data = event.split("\n").find((line) => line.startsWith("data: "));
    if (data) shown.textContent = JSON.stringify(JSON.parse(data.slice(6)), null, 2);
  }
}
