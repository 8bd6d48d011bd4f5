// Draws the charts: Vega-Lite specifications of the server, with data that stand beside each chart. Vega runs as an
// interpreter (ast), so that no expression is ever evaluated as script.
(() => {
  "use strict";
  const addresses = document.currentScript.dataset;
  const drawn = new Map(); // canvas -> {view, text}
  const asked = new Map(); // address -> promise of what is there

  class Unreachable extends Error {}

  // Asks once; what did not come is asked for again at the next refresh, and until then the figure keeps its table.
  function once(address, ask) {
    if (!asked.has(address)) {
      const answer = ask(address).catch((cause) => {
        asked.delete(address);
        throw new Unreachable(address, { cause });
      });
      asked.set(address, answer);
    }
    return asked.get(address);
  }
  const loadScript = (address) =>
    new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = address;
      script.onload = resolve;
      script.onerror = () => {
        script.remove();
        reject(new Error("not loaded"));
      };
      document.head.append(script);
    });
  async function askJson(address) {
    const answer = await fetch(address);
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    return answer.json();
  }

  const theme = () => (getComputedStyle(document.documentElement).getPropertyValue("--is-dark").trim() === "1" ? "dark" : "light");

  function parts(data) {
    const sets = Object.entries(data).filter(([, value]) => Array.isArray(value));
    const values = Object.entries(data).filter(([, value]) => !Array.isArray(value));
    return { sets, values };
  }

  async function draw(figure) {
    const canvas = figure.querySelector(".canvas");
    const text = figure.querySelector(".chart-data").textContent;
    const known = drawn.get(canvas);
    if (known?.text === text && known.theme === theme()) return;
    const data = JSON.parse(text);
    const { sets, values } = parts(data);
    if (known && known.theme === theme()) {
      known.text = text;
      for (const [name, rows] of sets) known.view.data(name, rows);
      for (const [name, value] of values) if (known.signals.has(name)) known.view.signal(name, value);
      await known.view.runAsync();
      return;
    }
    await once(addresses.library, loadScript);
    const themes = await once(addresses.themes, askJson);
    const specification = structuredClone(await once(figure.dataset.chart, askJson));
    const names = new Set((specification.params ?? []).map((param) => param.name));
    specification.datasets = Object.fromEntries(sets);
    for (const param of specification.params ?? []) if (param.name in data) param.value = data[param.name];
    const result = await vegaEmbed(canvas, specification, {
      mode: "vega-lite",
      renderer: "svg",
      actions: false,
      ast: true,
      defaultStyle: false,
      tooltip: false,
      config: themes[theme()],
    });
    known?.view.finalize();
    canvas.querySelector("svg")?.setAttribute("aria-hidden", "true");
    drawn.set(canvas, { view: result.view, text, theme: theme(), signals: names });
    result.view.addEventListener("mousemove", (event, item) => readOut(figure, pointedAt(figure, result.view, event, item)));
    canvas.onmouseleave = () => readOut(figure, null);
  }

  let isDrawing = false;
  let isAsked = false;
  async function drawAll() {
    if (isDrawing) {
      isAsked = true;
      return;
    }
    isDrawing = true;
    try {
      for (const canvas of drawn.keys()) {
        if (canvas.isConnected) continue;
        drawn.get(canvas).view.finalize();
        drawn.delete(canvas);
      }
      for (const figure of document.querySelectorAll("[data-chart]")) {
        await draw(figure).catch((error) => {
          if (!(error instanceof Unreachable)) throw error;
        });
      }
    } finally {
      isDrawing = false;
      if (isAsked) {
        isAsked = false;
        drawAll();
      }
    }
  }

  // ---- a point is read out below its chart: the one pointed at, or the one that arrows step to
  const OF_DRAWING = new Set(["id", "size"]);
  function points(figure) {
    const data = JSON.parse(figure.querySelector(".chart-data").textContent);
    const rows = parts(data).sets[0]?.[1] ?? [];
    return rows.filter((row) => Object.values(row).some((value) => value !== null));
  }
  const isTime = (value) => typeof value === "number" && value > 1e11;
  function words(row) {
    return Object.entries(row)
      .filter(([name, value]) => value !== null && typeof value !== "boolean" && !OF_DRAWING.has(name) && !name.endsWith("_end"))
      .map(([name, value]) => {
        if (isTime(value)) return new Date(value).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });
        if (typeof value === "number") return `${name.replaceAll("_", " ")} ${Number(value.toPrecision(6)).toLocaleString("en-US")}`;
        return value;
      })
      .join(", ");
  }
  function readOut(figure, row) {
    const place = figure.querySelector(".readout");
    if (place) place.textContent = row ? words(row) : "";
  }
  function pointedAt(figure, view, event, item) {
    const rows = points(figure);
    if (!rows.length) return null;
    const field = Object.keys(rows[0]).find((name) => isTime(rows[0][name]));
    if (!field) return rows.find((row) => row.id === item?.datum?.id) ?? null;
    const left = figure.querySelector(".canvas").getBoundingClientRect().left + view.origin()[0];
    const time = Number(view.scale("x").invert(event.clientX - left));
    const end = (row) => row[field.replace("_start", "_end")] ?? row[field];
    const distance = (row) => Math.max(row[field] - time, time - end(row), 0);
    return rows.reduce((best, row) => (distance(row) < distance(best) ? row : best));
  }
  document.addEventListener("keydown", (event) => {
    const canvas = event.target.closest?.(".canvas");
    if (!canvas || !["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) return;
    event.preventDefault();
    const rows = points(canvas.closest("[data-chart]"));
    if (!rows.length) return;
    const last = rows.length - 1;
    const at = Number(canvas.dataset.point ?? last + 1);
    const next = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key];
    canvas.dataset.point = String(Math.min(last, Math.max(0, next)));
    const row = rows[Number(canvas.dataset.point)];
    readOut(canvas.closest("[data-chart]"), row);
    document.getElementById("state-said").textContent = words(row);
  });

  addEventListener("footfall:swapped", drawAll);
  addEventListener("footfall:theme", drawAll);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  // The library is large: everything else first.
  if (document.readyState === "complete") drawAll();
  else addEventListener("load", drawAll);
})();
