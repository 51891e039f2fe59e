"use strict";
// The page is whole without this file. With it: copy buttons, search while typing, and a page that keeps up by itself.
(() => {
  const EVERY = 5000;
  const TYPING = 250;
  document.documentElement.classList.add("js");

  const announce = document.getElementById("announce");
  const freshness = document.getElementById("freshness");
  const pause = document.getElementById("pause");
  const filters = document.getElementById("filters");
  let paused = false;
  let asked = 0;
  let latest = Date.now();
  let failing = false;

  // --- Copy -------------------------------------------------------------------------------------------------------

  // Over plain HTTP browsers offer no clipboard to scripts; a selection can be copied all the same.
  const copyBySelection = (text) => {
    const field = document.createElement("textarea");
    field.value = text;
    field.className = "unseen";
    field.readOnly = true;
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  };

  const copy = async (button) => {
    const text = button.dataset.copy;
    let done = false;
    try {
      await navigator.clipboard.writeText(text);
      done = true;
    } catch {
      done = copyBySelection(text);
      button.focus();
    }
    announce.textContent = done ? `Copied ${text}` : `Could not copy ${text}`;
    if (done) {
      button.classList.add("done");
      setTimeout(() => button.classList.remove("done"), 1500);
    }
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button.copy");
    if (button) copy(button);
  });

  // --- Keep up ----------------------------------------------------------------------------------------------------

  const keyed = (root, selector) => new Map([...root.querySelectorAll(selector)].map((it) => [it.dataset.key, it]));

  const replace = (old, fresh) => {
    const here = document.activeElement;
    const focused = old.contains(here) ? here.dataset.key : undefined;
    const before = keyed(old, "details[data-key]");
    for (const [key, details] of keyed(fresh, "details[data-key]")) {
      if (before.has(key)) details.open = before.get(key).open;
    }
    for (const [key, button] of keyed(fresh, "button.copy")) {
      button.classList.toggle("done", Boolean(keyed(old, "button.copy.done").get(key)));
    }
    for (const button of fresh.querySelectorAll("button.copy.done")) {
      setTimeout(() => button.classList.remove("done"), 1500);
    }
    old.replaceChildren(...fresh.childNodes);
    if (focused !== undefined) keyed(old, "[data-key]").get(focused)?.focus({ preventScroll: true });
  };

  const selecting = (element) => {
    const selection = getSelection();
    return selection && !selection.isCollapsed && element.contains(selection.anchorNode);
  };

  const show = (text) => {
    const fresh = new DOMParser().parseFromString(text, "text/html");
    for (const old of document.querySelectorAll("[data-live]")) {
      const now = fresh.getElementById(old.id);
      if (now && now.innerHTML !== old.dataset.seen && !selecting(old)) {
        old.dataset.seen = now.innerHTML;
        replace(old, now);
      }
    }
    document.title = fresh.title;
  };

  const refresh = async () => {
    const number = ++asked;
    try {
      const answer = await fetch(location.pathname + location.search, {
        cache: "no-store",
        signal: AbortSignal.timeout(EVERY * 2),
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(String(answer.status));
      if (number !== asked) return;
      show(text);
      latest = Date.now();
      failing = false;
    } catch {
      failing = number === asked;
    }
    tell();
  };

  const tell = () => {
    const age = Math.round((Date.now() - latest) / 1000);
    const lost = failing && !paused;
    freshness.classList.toggle("lost", lost);
    if (paused) freshness.textContent = `Paused, ${age} s old`;
    else if (lost) freshness.textContent = `No answer for ${age} s`;
    else freshness.textContent = `Refreshes every ${EVERY / 1000} s`;
  };

  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    pause.textContent = paused ? "Resume" : "Pause";
    if (!paused) refresh();
    tell();
  });

  setInterval(() => {
    if (!paused && !document.hidden) refresh();
    else tell();
  }, EVERY);

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && !paused) refresh();
  });

  // --- Search while typing ----------------------------------------------------------------------------------------

  let typing = 0;
  const search = async () => {
    const fields = new URLSearchParams([...new FormData(filters)].filter(([, value]) => value !== ""));
    const text = fields.toString();
    history.replaceState(null, "", text ? `?${text}` : location.pathname);
    await refresh();
    announce.textContent = document.getElementById("found").textContent.trim();
  };
  for (const kind of ["input", "change"]) {
    filters.addEventListener(kind, () => {
      clearTimeout(typing);
      typing = setTimeout(search, TYPING);
    });
  }
  filters.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(typing);
    search();
  });
})();
