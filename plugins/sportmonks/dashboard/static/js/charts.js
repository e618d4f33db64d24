// uPlot with this page's colours, and the same figures as a table for who cannot see a canvas.
import { h, count } from "./dom.js";

const shown = new Set();

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function short(value) {
  if (value === null || value === undefined) return "";
  const size = Math.abs(value);
  if (size >= 10000) return `${Math.round(value / 1000)}k`;
  return size >= 100 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(1);
}

function options(chart, width, hours) {
  const axis = { stroke: colour("--dim"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
  const day = { day: "2-digit", month: "short" };
  const time = { hour: "2-digit", minute: "2-digit", hour12: false };
  const format = new Intl.DateTimeFormat("en-GB", hours > 48 ? day : time);
  const full = new Intl.DateTimeFormat("en-GB", { ...day, ...time });
  return {
    width, height: 190, padding: [12, 8, 0, 0], cursor: { points: { size: 6 } },
    scales: { y: { range: (_, low, high) => [Math.min(0, low ?? 0), (high ?? 0) > 0 ? high * 1.08 : 1] } },
    axes: [{ ...axis, space: 70, size: 32, values: (_, points) => points.map((p) => format.format(p * 1000)) }, { ...axis, size: 46, values: (_, points) => points.map(short) }],
    series: [{ label: "time", value: (_, v) => (v === null ? "–" : full.format(v * 1000)) },
      ...chart.series.map((line, i) => ({ label: line.label, stroke: colour(`--series-${(i % 4) + 1}`), width: 2, dash: i % 4 === 2 ? [6, 4] : undefined, spanGaps: false, points: { show: true, size: 5, fill: colour(`--series-${(i % 4) + 1}`), width: 0 }, value: (_, v) => (v === null ? "–" : `${short(v)}`) }))],
  };
}

export function draw(chart, t, hours) {
  const has = chart.series.some((line) => line.points.some((p) => p !== null));
  const holder = h("div", { class: "plot", "aria-hidden": "true" });
  const body = [h("h3", {}, chart.title, chart.unit ? h("small", {}, ` ${chart.unit}`) : null)];
  if (!has) {
    body.push(h("p", { class: "empty small" }, "No values in this period. They appear when a run records them."));
    return h("figure", { class: "chart" }, body);
  }
  const last = chart.series.map((line) => {
    const values = line.points.filter((p) => p !== null);
    return `${line.label}: newest ${short(values.at(-1))}, highest ${short(values.reduce((a, b) => Math.max(a, b)))}`;
  });
  body.push(holder, h("p", { class: "hidden" }, last.join("; ")), asTable(chart, t));
  const figure = h("figure", { class: "chart", "data-chart": chart.id }, body);
  const make = () => {
    holder.replaceChildren();
    return new window.uPlot(options(chart, Math.max(holder.clientWidth, 200), hours), [t, ...chart.series.map((line) => line.points)], holder);
  };
  // Drawn once the element has a width.
  const entry = { holder, make, plot: null };
  shown.add(entry);
  entry.observer = new ResizeObserver(() => {
    if (!holder.clientWidth) return;
    if (!entry.plot) entry.plot = make();
    else if (Math.abs(entry.plot.width - holder.clientWidth) > 1) entry.plot.setSize({ width: holder.clientWidth, height: 190 });
  });
  entry.observer.observe(holder);
  return figure;
}

function asTable(chart, t) {
  const details = h("details", { id: `table-${chart.id}` }, h("summary", {}, "As a table"));
  details.addEventListener("toggle", () => {
    if (details.querySelector("table")) return;
    const rows = t.map((time, i) => [time, ...chart.series.map((line) => line.points[i])]).filter((row) => row.slice(1).some((v) => v !== null));
    details.append(h("div", { class: "scroll low", tabindex: "0", role: "region", "aria-label": chart.title }, h("table", { class: "plain" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "time"), chart.series.map((line) => h("th", { scope: "col", class: "num" }, line.label)))),
      h("tbody", {}, rows.map(([time, ...values]) => h("tr", {}, h("td", {}, new Date(time * 1000).toLocaleString("en-GB")), values.map((v) => h("td", { class: "num" }, v === null ? "–" : count(Math.round(v * 100) / 100)))))))));
  });
  return details;
}

export const drawn = () => shown.size;

// Charts that left the page: a window left open over night must not collect their canvases.
export function tidy() {
  for (const entry of shown) {
    if (entry.holder.isConnected) continue;
    entry.observer.disconnect();
    entry.plot?.destroy();
    shown.delete(entry);
  }
}

document.addEventListener("themechange", () => {
  tidy();
  for (const entry of shown) {
    if (entry.plot) { entry.plot.destroy(); entry.plot = entry.make(); }
  }
});
