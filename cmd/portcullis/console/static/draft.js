// The draft is checked while it is written. Without this the button does it.
"use strict";
(() => {
  const form = document.getElementById("draft");
  const verdict = document.getElementById("verdict");
  const copy = document.getElementById("copy");
  const copied = document.getElementById("copied");
  const text = document.getElementById("yaml");
  const wait = 400; // milliseconds without a key
  const tenant = document.getElementById("tenant");
  let timer, under, last;

  // part is what stands beside the editor in an answer; null where the answer is
  // not ours, as from a proxy that wants people to sign in again.
  function part(answer, page) {
    if (answer.redirected) return null;
    if (!answer.ok) return page.querySelector("main");
    return page.getElementById("says") && (page.getElementById("verdict") || page.body);
  }

  // What stays the same is not read out again.
  function show(nodes, as) {
    if (last === as) return;
    last = as;
    verdict.replaceChildren(...nodes);
  }

  function trouble(words) {
    const p = document.createElement("p");
    p.id = "says";
    p.className = "notice bad";
    p.textContent = words;
    show([p], words);
  }

  // The whole page is asked for what is to be written: the text, and the snippets
  // that a tenant has.
  function write(page, snippets) {
    const written = page.getElementById("yaml");
    if (!written) return;
    text.value = text.defaultValue = written.value;
    if (snippets) document.querySelector("fieldset").replaceWith(page.querySelector("fieldset"));
  }

  async function check(change) {
    clearTimeout(timer);
    if (under) under.abort();
    const own = under = new AbortController();
    verdict.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(change ? form.action : form.dataset.check, {
        method: "POST", body: new URLSearchParams(new FormData(form, change && change.submitter)), signal: own.signal,
      });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (own.signal.aborted) return;
      const found = part(answer, page);
      if (found && change) write(page, !change.submitter);
      if (found) show([...found.childNodes], found.innerHTML);
      else trouble("It cannot be checked now: load the page again, you may have to sign in. Copy the text first.");
    } catch (error) {
      if (error.name !== "AbortError") trouble("It cannot be checked now: the console does not answer.");
    }
    if (under === own) verdict.removeAttribute("aria-busy");
  }

  form.addEventListener("input", event => {
    clearTimeout(timer);
    copied.textContent = "";
    if (event.target === tenant && text.value === text.defaultValue) check({}); // nothing was written yet
    else timer = setTimeout(check, wait);
  });
  form.addEventListener("submit", event => {
    event.preventDefault(); // who writes keeps his place
    check(event.submitter && event.submitter.name ? {submitter: event.submitter} : undefined);
  });
  copy.hidden = !navigator.clipboard;
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text.value);
      copied.textContent = "Copied.";
    } catch {
      copied.textContent = "The browser does not let this page copy: select the text, and copy it by hand.";
      text.select();
    }
  });
})();
