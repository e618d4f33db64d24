// Charts over time.
import { h, card, empty, downloads } from "./dom.js";
import { get, query } from "./api.js";
import { draw } from "./charts.js";

const PERIODS = [[6, "6 hours"], [24, "24 hours"], [168, "7 days"], [720, "30 days"]];

export async function metrics({ search, signal, go }) {
  const hours = Number(search.get("hours")) || 24;
  const name = search.get("name") ?? "";
  const [data, known, own] = await Promise.all([get("metrics", { hours }, signal), get("filters", {}, signal), name ? get("metrics", { hours, name }, signal) : null]);
  const periods = h("div", { class: "choices", role: "group", "aria-label": "Period" }, PERIODS.map(([value, label]) => h("a", { class: "button", href: `#/metrics${query({ hours: value, name })}`, "aria-current": value === hours ? "true" : undefined }, label)));
  const pick = h("select", { id: "metric", onchange: (e) => go(`#/metrics${query({ hours, name: e.target.value })}`) }, h("option", { value: "" }, "choose…"), known.metrics.map((m) => h("option", { value: m, selected: m === name }, m)));
  return h("div", { class: "stack" },
    card("Metrics", h("div", { class: "filters" }, periods, downloads("metrics", query({ hours }))),
      known.metrics.length ? h("div", { class: "charts" }, data.charts.map((chart) => draw(chart, data.t, hours))) : empty("No metric was recorded yet.", "Runs record them; start one, or set track_performance in its form for more.")),
    card("Any metric", h("div", { class: "filters" }, h("label", {}, "Metric ", pick)), own ? h("div", { class: "charts one" }, own.charts.map((chart) => draw(chart, own.t, hours))) : h("p", { class: "dim" }, "Choose one to see its mean and highest values over the period above.")));
}
