// The first view: is the data complete and fresh, and if not, where, why and what to do.
import { h, card, count, duration, when, ago, bar, empty, percent, table } from "./dom.js";
import { get, me } from "./api.js";
import { alertCard } from "./alerts.js";
import { runColumns, runName } from "./runs.js";

const STATUSES = {
  ok: ["✓", "All good", "ok"],
  attention: ["!", "Needs a look", "attention"],
  bad: ["✕", "Something is wrong", "bad"],
  empty: ["…", "Nothing has run yet", "attention"],
  starting: ["▶", "The first runs are under way", "starting"],
};

function overall(health) {
  const [mark, title, kind] = STATUSES[health.overall];
  const collected = percent(health.collected_fixtures, health.total_fixtures);
  const lines = health.overall === "empty"
    ? "Trigger the DAG sportmonks_catalog; it creates one DAG per league, and their runs appear here."
    : `${collected} % of ${count(health.total_fixtures)} known fixtures collected, ${count(health.due_fixtures)} due. Last completed run ${ago(health.last_completed_at)}.`;
  return h("section", { class: `overall ${kind}`, "aria-label": "Overall status" },
    h("span", { class: "mark", "aria-hidden": "true" }, mark),
    h("div", {}, h("h2", {}, title, health.reasons.length ? `: ${health.reasons.join(", ")}` : ""), h("p", {}, lines)));
}

const figure = (label, value, sub) => h("div", { class: "figure" }, h("dt", {}, label), h("dd", {}, value, sub ? h("small", {}, sub) : null));

function figures(x) {
  return h("dl", { class: "figures" },
    figure("Executions", count(x.total_executions), `${count(x.completed_executions)} completed, ${count(x.failed_executions)} failed`),
    figure("Running now", count(x.running_executions)),
    figure("Mean duration", duration(x.avg_duration_seconds)),
    figure("Mean success rate", x.avg_success_rate === null ? "–" : `${x.avg_success_rate} %`),
    figure("Last execution", when(x.last_execution_at)),
    figure("Fixtures collected", `${percent(x.collected_fixtures, x.total_fixtures)} %`, `${count(x.collected_fixtures)} of ${count(x.total_fixtures)}`),
    figure("Due now", count(x.due_fixtures)),
    figure("Leagues and seasons", count(x.leagues), `${count(x.chunks)} seasons, ${count(x.failed_chunks)} failed`),
    figure("Log lines, 24 h", `≈ ${count(x.logs_24h)}`),
    figure("Errors, 24 h", h("a", { href: "#/logs?level=ERROR" }, count(x.errors_24h))));
}

function speed(x) {
  const each = x.processed_fixtures / (x.duration_seconds || 1);
  if (each >= 1) return `${x.fixtures_per_second} a second`;
  return each * 60 >= 1 ? `${Math.round(each * 60)} a minute` : `${Math.round(each * 3600)} an hour`;
}
const RANK = { CRITICAL: 0, WARNING: 1, INFO: 2 };

export function running(rows) {
  if (!rows.length) return empty("No run just now.", "Scheduled runs come by themselves; a league's DAG can be triggered in Airflow or with ./etl run.");
  return h("ul", { class: "runlist" }, rows.map((x) => {
    const share = percent(x.processed_fixtures, x.total_fixtures);
    return h("li", { "data-execution": x.execution_id },
      h("div", { class: "row" }, h("a", { href: `#/run/${encodeURIComponent(x.execution_id)}` }, runName(x)), h("strong", {}, x.kind === "league" ? `${share} %` : "")),
      x.kind !== "league" ? h("p", { class: "dim" }, `${count(x.records)} rows, running for ${duration(x.duration_seconds)}`) : [bar(x.processed_fixtures, x.total_fixtures, `${x.dag_id}: ${share} % done`),
      h("p", { class: "dim" }, `${count(x.processed_fixtures)} of ${count(x.total_fixtures)} fixtures, ${x.processed_chunks} of ${x.total_chunks} seasons, ${speed(x)}, running for ${duration(x.duration_seconds)}`,
        x.remaining_seconds !== null ? `, about ${duration(x.remaining_seconds)} left` : "")]);
  }));
}

export function gauges(rows) {
  if (!rows.length) return empty("No API call yet.", "The budget of each entity appears with the first call.");
  return h("ul", { class: "gauges" }, rows.map((x) => {
    const known = x.remaining !== null;
    const level = !known ? "" : x.remaining <= 0 ? "bad" : x.remaining < x.call_limit * 0.15 ? "attention" : "ok";
    const text = x.blocked_until ? `blocked, free ${ago(x.blocked_until)}` : known ? `${count(x.remaining)} of ${count(x.call_limit)} calls left, full again ${ago(x.resets_at)}` : "no window open";
    return h("li", { class: level }, h("div", { class: "row" }, h("strong", {}, x.entity), h("span", { class: "dim" }, text)),
      h("meter", { min: 0, max: x.call_limit || 1, low: (x.call_limit || 1) * 0.15, high: (x.call_limit || 1) * 0.4, optimum: x.call_limit || 1, value: known ? x.remaining : x.call_limit || 1, "aria-label": `${x.entity}: ${text}` }),
      x.circuit !== "CLOSED" ? h("p", { class: "bad" }, `Calls rest after repeated failures until ${ago(x.circuit_until)}.`) : null);
  }));
}

export async function overview({ signal, refresh }) {
  const [data, user] = await Promise.all([get("overview", {}, signal), me()]);
  const x = data.health;
  return h("div", { class: "stack" },
    overall(x),
    data.alerts.rows.length ? card("Open alerts", h("div", { class: "stack tight" }, [...data.alerts.rows].sort((a, b) => RANK[a.severity] - RANK[b.severity]).map((a) => alertCard(a, user, refresh))),
      data.alerts.next ? h("p", {}, h("a", { href: "#/alerts" }, "All alerts")) : null) : null,
    h("div", { class: "columns" }, card("Running now", running(data.running)), card("API budget", gauges(data.budgets))),
    card("Health", figures(x)),
    card("Newest runs", data.recent.length ? table("Newest runs", runColumns, data.recent) : empty("No run yet.", "Trigger sportmonks_catalog first, then a league's DAG."), h("p", {}, h("a", { href: "#/runs" }, "All runs"), " · Export everything: ", h("a", { href: "api/export/all.json", download: "" }, "JSON"))));
}
