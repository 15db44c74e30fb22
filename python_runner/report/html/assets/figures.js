// The figures: drawn with Plotly, which is unpacked from the page itself.
(function () {
  "use strict";
  const { isDark, say } = window.polystack;
  const twins = JSON.parse(document.getElementById("dark-colours").textContent);
  const hidden = new Set();
  const places = Array.from(document.querySelectorAll("[data-figure]"));
  const figures = new Map();
  const coarse = window.matchMedia("(pointer: coarse)");
  const PRINTED_WIDTH = 690;
  let ready = false;
  let printing = false;

  async function unpack() {
    const text = document.getElementById("plotting-library").textContent;
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(stream).text();
    document.head.append(script);
    if (!window.Plotly) throw new Error("the plotting library did not start");
  }

  // Every colour of the palette becomes its twin on dark ground.
  function recolored(value, name) {
    if (Array.isArray(value)) return value.map((one) => recolored(one, name));
    if (value && typeof value === "object") {
      const entries = Object.entries(value);
      return Object.fromEntries(entries.map(([key, one]) => [key, recolored(one, key)]));
    }
    return typeof value === "string" && /color/.test(name) ? twins[value] || value : value;
  }

  function themed({ spec, alone }) {
    const copy = isDark() && !printing ? recolored(spec, "") : structuredClone(spec);
    for (const trace of copy.data) {
      const isHidden = hidden.has(trace.legendgroup) || alone.has(trace.legendgroup);
      if (trace.legendgroup && isHidden) trace.visible = "legendonly";
    }
    copy.layout.dragmode = coarse.matches ? false : copy.layout.dragmode;
    copy.layout.autosize = false;
    return copy;
  }

  async function draw(figure) {
    const { place } = figure;
    const { data, layout } = themed(figure);
    layout.width = printing ? PRINTED_WIDTH : place.clientWidth || PRINTED_WIDTH;
    if (figure.height && !printing) layout.height = figure.height;
    for (const [name, range] of Object.entries(printing ? {} : figure.ranges)) {
      layout[name].range = range;
    }
    const config = { displayModeBar: false, doubleClick: "reset", locale: "en-US" };
    await window.Plotly.react(place, data, layout, config);
    await makeRoom(figure);
    place.querySelector(".svg-container")?.setAttribute("aria-hidden", "true");
  }

  // A legend of many lines takes its room from the panels: give it back to them.
  async function makeRoom(figure) {
    const { place, spec } = figure;
    const wanted = spec.layout.meta && spec.layout.meta.body;
    const size = place._fullLayout && place._fullLayout._size;
    if (!wanted || !size) return;
    const missing = wanted - size.h;
    if (Math.abs(missing) < 2) return;
    const height = Math.round(place._fullLayout.height + missing);
    if (!printing) figure.height = height;
    await window.Plotly.relayout(place, { height });
  }

  // One figure after the other, and each as the page is when its turn comes.
  const waiting = new Set();
  let drawing = Promise.resolve();

  function redraw(which) {
    for (const figure of which) waiting.add(figure);
    drawing = drawing.then(async () => {
      for (const figure of Array.from(waiting)) {
        waiting.delete(figure);
        await draw(figure);
        await new Promise((resume) => setTimeout(resume, 0));
      }
    });
    return drawing;
  }

  const drawAll = () => redraw(figures.values());

  function followWidth() {
    const watch = new ResizeObserver(() => {
      const changed = (figure) => figure.place._fullLayout.width !== figure.place.clientWidth;
      if (!printing) redraw(Array.from(figures.values()).filter(changed));
    });
    for (const { place } of figures.values()) watch.observe(place);
  }

  function axesOf(figure) {
    const layout = figure.place._fullLayout;
    const names = Object.keys(figure.spec.layout).filter((name) => /^[xy]axis\d*$/.test(name));
    return names.filter((name) => !layout[name].fixedrange && layout[name].visible !== false);
  }

  function zoom(figure, factor) {
    const changes = {};
    for (const name of axesOf(figure)) {
      const [low, high] = figure.place._fullLayout[name].range.map(Number);
      const middle = (low + high) / 2;
      const half = ((high - low) / 2) * factor;
      changes[`${name}.range`] = [middle - half, middle + half];
    }
    return window.Plotly.relayout(figure.place, changes);
  }

  function showAll(figure) {
    const changes = {};
    for (const name of axesOf(figure)) {
      changes[`${name}.range`] = figure.spec.layout[name].range.slice();
    }
    return window.Plotly.relayout(figure.place, changes);
  }

  const doings = {
    in: (figure) => zoom(figure, 0.6),
    out: (figure) => zoom(figure, 1 / 0.6),
    all: showAll,
    save: (figure) => {
      const { height, width } = figure.place._fullLayout;
      const filename = figure.place.dataset.figure;
      return window.Plotly.downloadImage(figure.place, { format: "png", scale: 2, filename, height, width });
    },
  };

  function setUpTools(figure) {
    const tools = figure.place.parentElement.querySelector(".tools");
    if (!tools) return;
    tools.hidden = false;
    for (const button of tools.querySelectorAll("button")) {
      button.addEventListener("click", () => doings[button.dataset.does](figure));
    }
  }

  // What a reader zoomed to stays when the page turns dark.
  function followZoom(figure) {
    figure.place.on("plotly_relayout", () => {
      if (printing) return;
      for (const name of axesOf(figure)) {
        figure.ranges[name] = figure.place._fullLayout[name].range.slice();
      }
    });
  }

  // What a reader hid by a figure's own legend stays hidden there.
  function followLegend(figure) {
    const { place } = figure;
    place.on("plotly_restyle", () => {
      const away = place._fullData.filter((trace) => trace.visible === "legendonly");
      const groups = away.map((trace) => trace.legendgroup);
      figure.alone = new Set(groups.filter((group) => group && !hidden.has(group)));
    });
  }

  // Arrow keys go from sample to sample, and each is said.
  function setUpKeys(figure) {
    const { place } = figure;
    let at = -1;
    place.tabIndex = 0;
    place.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (event.key === "Escape") {
        at = -1;
        window.Plotly.Fx.unhover(place);
        return;
      }
      if (!step) return;
      const samples = samplesOf(place);
      if (!samples.length) return;
      event.preventDefault();
      at = (at + step + samples.length) % samples.length;
      const { trace, number, text } = samples[at];
      const subplot = `${trace.xaxis || "x"}${trace.yaxis || "y"}`;
      window.Plotly.Fx.hover(place, [{ curveNumber: trace.index, pointNumber: number }], subplot);
      say(plainText(text));
    });
  }

  function samplesOf(place) {
    const found = [];
    for (const trace of place._fullData) {
      if (trace.visible !== true || !Array.isArray(trace.hovertext)) continue;
      trace.hovertext.forEach((text, number) => found.push({ trace, number, text }));
    }
    return found;
  }

  function plainText(text) {
    const page = new DOMParser().parseFromString(text.replaceAll("<br>", ". "), "text/html");
    return page.body.textContent;
  }

  function setUpSwitches() {
    const box = document.querySelector(".switches");
    if (!box) return;
    box.hidden = false;
    for (const button of box.querySelectorAll("button[data-group]")) {
      button.addEventListener("click", async () => {
        const isShown = button.getAttribute("aria-pressed") !== "true";
        button.setAttribute("aria-pressed", String(isShown));
        const { group } = button.dataset;
        if (isShown) hidden.delete(group);
        else hidden.add(group);
        for (const figure of figures.values()) figure.alone.delete(group);
        if (ready) await drawAll();
        const name = button.querySelector(".stack-name").textContent;
        say(`${name} is ${isShown ? "shown in" : "hidden from"} all figures`);
      });
    }
  }

  function setUpPaper() {
    window.addEventListener("beforeprint", () => {
      printing = true;
      // Not in turn: paper does not wait.
      for (const figure of figures.values()) draw(figure);
    });
    window.addEventListener("afterprint", () => {
      printing = false;
      drawAll();
    });
  }

  async function start() {
    for (const place of places) {
      const spec = JSON.parse(document.getElementById(`${place.id}-data`).textContent);
      figures.set(place.id, { place, spec, ranges: {}, alone: new Set(), height: 0 });
    }
    setUpSwitches();
    const beganDark = isDark();
    await unpack();
    for (const figure of figures.values()) {
      await draw(figure);
      figure.place.classList.add("drawn");
      setUpTools(figure);
      followZoom(figure);
      followLegend(figure);
      setUpKeys(figure);
      await new Promise((resume) => setTimeout(resume, 0));
    }
    ready = true;
    document.addEventListener("polystack-theme", drawAll);
    followWidth();
    setUpPaper();
    // The page may have been changed meanwhile.
    if (hidden.size || isDark() !== beganDark) await drawAll();
    document.documentElement.dataset.figures = "drawn";
  }

  start().catch((error) => {
    document.documentElement.dataset.figures = "failed";
    for (const place of places) {
      place.style.minHeight = "0";
      const note = document.createElement("p");
      note.textContent = `This browser cannot draw the picture (${error.message}). The table below has the same figures.`;
      place.append(note);
    }
  });
})();
