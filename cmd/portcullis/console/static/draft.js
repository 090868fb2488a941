// The draft is checked while it is written. Without this the button does it.
"use strict";
(() => {
  const form = document.getElementById("draft");
  const verdict = document.getElementById("verdict");
  const copy = document.getElementById("copy");
  const text = document.getElementById("yaml");
  const wait = 400; // milliseconds without a key
  let timer, under;

  async function check() {
    if (under) under.abort();
    const own = under = new AbortController();
    try {
      const answer = await fetch(form.dataset.check, {
        method: "POST", body: new URLSearchParams(new FormData(form)), signal: own.signal,
      });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const part = answer.ok ? page.body : page.querySelector("main");
      if (own.signal.aborted || !part) return;
      if (part.innerHTML !== verdict.dataset.last) { // what stays the same is not read out again
        verdict.dataset.last = part.innerHTML;
        verdict.replaceChildren(...part.childNodes);
      }
    } catch (error) {
      if (error.name !== "AbortError") verdict.textContent = "It cannot be checked now: the console does not answer.";
    }
  }

  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(check, wait);
  });
  copy.hidden = !navigator.clipboard;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text.value);
    document.getElementById("copied").textContent = "Copied.";
  });
})();
