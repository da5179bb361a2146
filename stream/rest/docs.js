// The form of /docs: sends the row as it is written to /predict, and shows the answer as it comes. Nothing is parsed
// here: JavaScript would round whole numbers beyond 2^53.
"use strict";

const form = document.getElementById("try");
const answer = document.getElementById("answer");

function show(kind, text) {
  answer.className = kind;
  answer.textContent = text;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const headers = { "content-type": "application/json" };
  if (form.elements.token && form.elements.token.value) {
    headers.authorization = `Bearer ${form.elements.token.value}`;
  }
  show("", "…");
  try {
    const response = await fetch("predict", { method: "POST", headers, body: form.elements.row.value });
    show(response.ok ? "good" : "bad", `${response.status}\n${await response.text()}`);
  } catch (error) {
    show("bad", `no answer: ${error.message}`);
  }
});
form.elements.ask.disabled = false;
