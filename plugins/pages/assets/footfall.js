// Refreshing, pausing, telling when the page is cut off, keys, copying. Nothing here knows of figures.
(() => {
  "use strict";
  const FAILURES = 3;
  const PATIENCE_MS = 10_000;
  const page = () => document.getElementById("page");
  let pausedAt = null;
  let failures = 0;
  let reachedAt = Date.now();
  let lastState = null;
  let isCutOff = false;

  const clockTime = (moment) => new Date(moment).toLocaleTimeString("en-GB");

  // ---- refresh: one request for the whole page; never two at once, and none while hidden or paused
  let timer = null;
  function schedule() {
    clearTimeout(timer);
    const seconds = Number(page()?.dataset.refreshSeconds || 0);
    if (seconds) timer = setTimeout(refresh, seconds * 1000);
  }
  function refresh() {
    if (pausedAt || document.hidden) return schedule();
    htmx.trigger(page(), "refresh");
    schedule();
  }
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    if (page()?.dataset.refreshSeconds && Date.now() - reachedAt > PATIENCE_MS) showCutOff();
    refresh();
  });

  // ---- cut off: three requests failed, or ten seconds without an answer
  function showCutOff() {
    const words = `This page has not reached Airflow since ${clockTime(reachedAt)}. Figures below are from then.`;
    const box = document.getElementById("cut-off");
    if (box.textContent !== words) box.textContent = words;
    box.hidden = false;
    if (!isCutOff) document.body.classList.add("cut-off");
    isCutOff = true;
  }
  function reached() {
    failures = 0;
    reachedAt = Date.now();
    if (!isCutOff) return;
    isCutOff = false;
    document.getElementById("cut-off").hidden = true;
    document.body.classList.remove("cut-off");
  }
  setInterval(() => {
    if (pausedAt || document.hidden || !page()?.dataset.refreshSeconds) return;
    if (Date.now() - reachedAt > PATIENCE_MS + Number(page().dataset.refreshSeconds) * 1000) showCutOff();
  }, 1000);
  function failed() {
    failures += 1;
    if (failures >= FAILURES) showCutOff();
  }
  document.addEventListener("htmx:error", failed);
  document.addEventListener("htmx:before:response", (event) => {
    // What is no page of ours (Airflow itself failed, a proxy answered) is never shown in its place.
    if (event.detail.ctx.response.headers.get("x-footfall") === "page") return;
    event.preventDefault();
    failed();
  });
  document.addEventListener("htmx:before:swap", (event) => {
    if (pausedAt) event.preventDefault(); // it came late: what is shown is from the moment of pausing
    else for (const task of event.detail.tasks) keepRowOrder(task.fragment);
  });

  // ---- rows stay where they are while the pointer or the focus is in their table; new ones come last
  function keepRowOrder(fragment) {
    const name = (row) => (row.cells[0]?.querySelector("a") ?? row.cells[0])?.textContent;
    const inUse = matchMedia("(hover: hover)").matches ? ":is(:hover, :focus-within)" : ":focus-within";
    for (const table of document.querySelectorAll(`#page table${inUse}`)) {
      const caption = table.caption?.textContent;
      const next = [...(fragment?.querySelectorAll("table") ?? [])].find((one) => caption && one.caption?.textContent === caption);
      if (!next || table.tBodies.length !== 1 || next.tBodies.length !== 1) continue;
      const places = new Map([...table.tBodies[0].rows].map((row, place) => [name(row), place]));
      const place = (row) => (row.matches(".rest") ? places.size + 1 : (places.get(name(row)) ?? places.size));
      next.tBodies[0].append(...[...next.tBodies[0].rows].sort((one, other) => place(one) - place(other)));
    }
  }
  document.addEventListener("htmx:after:swap", () => {
    reached();
    applyFolds();
    sayState();
    dispatchEvent(new Event("footfall:swapped"));
  });

  // ---- a change of state is said once
  function sayState() {
    const state = document.querySelector("[data-state]")?.dataset.state ?? null;
    if (state && lastState && state !== lastState) {
      document.getElementById("state-said").textContent = state;
    }
    lastState = state;
  }

  // ---- pause
  function pause() {
    const button = document.querySelector("[data-pause]");
    if (!button) return;
    pausedAt = pausedAt ? null : Date.now();
    document.body.classList.toggle("paused", Boolean(pausedAt));
    button.setAttribute("aria-pressed", String(Boolean(pausedAt)));
    button.querySelector("[data-word]").textContent = pausedAt ? "Resume" : "Pause";
    const words = document.getElementById("paused-words");
    if (words) words.textContent = pausedAt ? `Paused by you at ${clockTime(pausedAt)} · counting itself goes on` : "";
    if (!pausedAt) refresh();
  }

  // ---- copying, with a field to copy from where the clipboard refuses
  async function copy(text, button) {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = button.dataset.name || "Copy"), 2000);
    } catch {
      const field = document.createElement("textarea");
      field.value = text;
      field.readOnly = true;
      field.className = "copy-field";
      field.setAttribute("aria-label", "Text to copy");
      button.after(field);
      field.select();
    }
  }
  function outerAddress() {
    const here = location.pathname + location.search + location.hash;
    return window.parent === window ? location.origin + here : `${location.origin}${outerPrefix()}/plugin/footfall${here}`;
  }
  function outerPrefix() {
    return document.documentElement.dataset.prefix.replace(/\/footfall$/, "");
  }

  document.addEventListener("click", (event) => {
    const target = event.target.closest("[data-pause], [data-keys], [data-copy], [data-copy-link], [data-back]");
    if (!target) return;
    if (target.matches("[data-pause]")) pause();
    else if (target.matches("[data-keys]")) switchKeys();
    else if (target.matches("[data-back]")) history.back();
    else if (target.matches("[data-copy-link]")) copy(outerAddress(), target);
    else copy(document.querySelector(target.dataset.copy)?.textContent ?? target.dataset.copy, target);
  });
  // ---- folding: what the reader opened or closed stays so when the page is refreshed
  const folds = new Map();
  function applyFolds() {
    for (const [name, isOpen] of folds) {
      const part = document.getElementById(name);
      if (part) part.toggleAttribute("data-folded", !isOpen);
      document.querySelector(`[data-fold="${name}"]`)?.setAttribute("aria-expanded", String(isOpen));
    }
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-fold]");
    if (!button) return;
    folds.set(button.dataset.fold, button.getAttribute("aria-expanded") !== "true");
    applyFolds();
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
  });

  // ---- keys: single ones do nothing while a field has focus, and can be switched off
  const KEYS = "footfall_keys";
  let areKeysOn = true;
  try {
    areKeysOn = localStorage.getItem(KEYS) !== "off";
  } catch {
    // No storage: they are on whenever a page is opened.
  }
  function showKeys() {
    const button = document.querySelector("[data-keys]");
    if (!button) return;
    button.setAttribute("aria-pressed", String(areKeysOn));
    button.textContent = areKeysOn ? "Keys on" : "Keys off";
  }
  function switchKeys() {
    areKeysOn = !areKeysOn;
    showKeys();
    try {
      localStorage.setItem(KEYS, areKeysOn ? "on" : "off");
    } catch {
      // It holds for this page.
    }
  }
  document.addEventListener("keydown", (event) => {
    if (!areKeysOn || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    if (event.key === "p" || event.key === "P") pause();
    else if (/^[1-4]$/.test(event.key)) document.querySelector(`.bar a[data-key="${event.key}"]`)?.click();
    else if (event.key === "ArrowLeft" && event.target === document.body) document.querySelector("[data-key-left]")?.click();
    else if (event.key === "ArrowRight" && event.target === document.body) document.querySelector("[data-key-right]")?.click();
    else if (event.key === "/") {
      const field = ["#page", ".bar"]
        .map((place) => document.querySelector(`${place} form :is(input:not([type=hidden]), select)`))
        .find(Boolean);
      if (field) {
        event.preventDefault();
        field.focus();
      }
    }
  });

  // ---- the calendar: one tab stop, arrows move, Enter opens
  function gridCells() {
    return [...document.querySelectorAll(".calendar tbody tr")].map((row) => [...row.querySelectorAll(".cell")].map((cell) => cell.querySelector("a")));
  }
  let at = null; // address of the cell that has the tab stop
  function setTabStop() {
    const links = gridCells().flat().filter(Boolean);
    const stop = links.find((link) => link.href === at) ?? links[0];
    for (const link of links) link.tabIndex = link === stop ? 0 : -1;
  }
  document.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    const link = event.target.closest?.(".calendar .cell a");
    if (!move || !link) return;
    event.preventDefault();
    const cells = gridCells();
    let row = cells.findIndex((line) => line.includes(link));
    let column = cells[row].indexOf(link);
    do {
      row += move[0];
      column += move[1];
    } while (cells[row]?.[column] === null);
    const next = cells[row]?.[column];
    if (!next) return;
    at = next.href;
    setTabStop();
    next.focus();
  });
  addEventListener("footfall:swapped", setTabStop);

  showKeys();
  setTabStop();
  sayState();
  schedule();
})();
