/* Brings the figures to life where scripts run; without it every figure is there as a picture already. */
"use strict";
(() => {
  const { plotWidth, figures } = JSON.parse(document.getElementById("specifications").textContent);
  const byId = (id) => document.getElementById(id);
  const settings = { volume: 1, cold: 0, memoryScale: "log", valueScale: "" };
  const hidden = new Map(figures.map((figure) => [figure.name, new Set()]));
  const views = new Map();

  /* Every plot of a specification, with its encodings: the specification itself, its panels and their layers. */
  function* units(spec) {
    yield spec;
    for (const part of [...(spec.vconcat ?? []), ...(spec.layer ?? [])]) yield* units(part);
  }

  function scaleOf(channel, kind) {
    const scale = { ...channel.scale };
    delete scale.type;
    delete scale.base;
    if (kind === "log") Object.assign(scale, { type: "log" }, { zero: undefined });
    if (kind === "zero") scale.zero = true;
    if (kind === "fit") scale.zero = false;
    return scale;
  }

  function adjusted(figure, width) {
    const spec = structuredClone(figure.spec);
    for (const unit of units(spec)) {
      if (unit.width === plotWidth) unit.width = width;
      for (const [name, channel] of Object.entries(unit.encoding ?? {})) adjust(figure, name, channel, width);
    }
    for (const param of spec.params ?? []) {
      if (param.name === "hidden") param.value = [...hidden.get(figure.name)];
      else if (param.name in settings) param.value = settings[param.name];
    }
    return spec;
  }

  function adjust(figure, name, channel, width) {
    if (channel.value === plotWidth) channel.value = width;
    if (channel.legend?.columns) channel.legend.columns = Math.max(Math.floor(width / 150), 1);
    if (!channel.scale || channel.type !== "quantitative") return;
    if (channel.field === "memory_mb") {
      if (!figure.controls.includes("memory-scale") || settings.memoryScale === "log") return;
      channel.scale = scaleOf(channel, "linear");
      channel.axis.title = channel.axis.title?.replace(" (log scale)", "") ?? null;
    } else if (settings.valueScale && figure.controls.includes("value-scale") && (name === "x" || name === "y")) {
      channel.scale = scaleOf(channel, settings.valueScale);
      channel.axis.title = channel.axis.title?.replace(/ \(the axis .*\)/, "") ?? null;
    }
  }

  async function draw(figure) {
    const element = byId(figure.name);
    const live = element.querySelector(".live");
    live.hidden = false;
    const width = Math.max(Math.floor(live.clientWidth) - 86, 180);
    const view = await vegaEmbed(live, adjusted(figure, width), {
      actions: false,
      ast: true,
      defaultStyle: false,
      logLevel: 1,
      mode: "vega-lite",
      renderer: "svg",
      tooltip: { disableDefaultStyle: true, theme: "custom" },
    });
    views.get(figure.name)?.finalize();
    views.set(figure.name, view);
    const picture = live.querySelector("svg");
    picture.setAttribute("role", "img");
    picture.setAttribute("aria-labelledby", `${figure.name}-title`);
    picture.setAttribute("aria-describedby", `${figure.name}-description`);
    element.classList.add("drawn");
  }

  async function drawAll() {
    for (const figure of figures) if (byId(figure.name)) await draw(figure);
    document.documentElement.dataset.figures = "drawn";
  }

  async function signal(name, value) {
    settings[name] = value;
    for (const figure of figures) {
      if (figure.controls.includes(name)) await views.get(figure.name)?.view.signal(name, value).runAsync();
    }
    tellUse();
  }

  /* The two costs that the answer is about, at the reader's volume and share of cold starts. */
  function tellUse() {
    const output = byId("use");
    const section = output?.closest("section");
    const rows = figures[0]?.spec.datasets.dots;
    if (!section?.dataset.after || !rows) return;
    const cost = (group) => {
      const row = rows.find((found) => found.group === group);
      if (!row || (settings.cold > 0 && row.cold_cost === null)) return NaN;
      return settings.volume * ((1 - settings.cold) * row.cost + settings.cold * (row.cold_cost ?? 0));
    };
    const [after, before] = [cost(section.dataset.after), cost(section.dataset.before)];
    const money = (amount) => `$${amount.toLocaleString("en", { maximumSignificantDigits: 3 })}`;
    output.textContent = Number.isFinite(after - before)
      ? `A month: ${money(after)} recommended, ${money(before)} now (point estimates).`
      : "No cold start was seen at one of the two sizes: its cost is not known.";
  }

  function toggles(figure) {
    if (figure.groups.length < 2) return;
    const box = document.createElement("fieldset");
    box.className = "toggles";
    const legend = document.createElement("legend");
    legend.textContent = "Show";
    box.append(legend);
    for (const group of figure.groups) {
      const label = document.createElement("label");
      const input = document.createElement("input");
      input.type = "checkbox";
      input.checked = true;
      input.addEventListener("change", () => {
        const set = hidden.get(figure.name);
        if (input.checked) set.delete(group);
        else set.add(group);
        views.get(figure.name)?.view.signal("hidden", [...set]).runAsync();
      });
      label.append(input, ` ${group}`);
      box.append(label);
    }
    byId(figure.name).querySelector(".live").before(box);
  }

  function listen() {
    const form = document.querySelector(".controls");
    if (!form) return;
    form.hidden = false;
    form.addEventListener("submit", (event) => event.preventDefault());
    byId("volume").addEventListener("input", (event) => {
      if (event.target.value && event.target.checkValidity()) signal("volume", event.target.valueAsNumber / 1e6);
    });
    byId("cold")?.addEventListener("input", (event) => {
      if (event.target.value && event.target.checkValidity()) signal("cold", event.target.valueAsNumber / 100);
    });
    byId("memory-scale").addEventListener("change", (event) => {
      settings.memoryScale = event.target.value;
      drawAll();
    });
    byId("value-scale").addEventListener("change", (event) => {
      settings.valueScale = event.target.value;
      drawAll();
    });
  }

  let waiting = 0;
  let lastWidth = window.innerWidth;
  window.addEventListener("resize", () => {
    if (window.innerWidth === lastWidth) return;
    lastWidth = window.innerWidth;
    window.clearTimeout(waiting);
    waiting = window.setTimeout(drawAll, 150);
  });

  listen();
  figures.filter((figure) => byId(figure.name)).forEach(toggles);
  drawAll().then(tellUse);
})();
