// Executions: the list, and one of them with its seasons.
import { h, card, count, duration, when, clock, bar, badge, empty, percent, table, airflowLink, downloads } from "./dom.js";
import { get, query } from "./api.js";
import { startedTogether } from "./backfill.js";

const runLink = (x) => h("a", { href: `#/run/${encodeURIComponent(x.execution_id)}` }, (x.dag_id ?? "").replace(/^sportmonks_/, "") || x.execution_id, x.dry_run ? " (dry run)" : "");

export const runColumns = [
  ["Run", runLink],
  ["Status", (x) => badge(x.status)],
  ["Started", (x) => when(x.started_at)],
  ["Duration", (x) => duration(x.duration_seconds), "num"],
  ["Fixtures", (x) => `${count(x.processed_fixtures)} / ${count(x.total_fixtures)}`, "num"],
  ["Failed", (x) => (x.failed_fixtures ? h("strong", { class: "bad" }, count(x.failed_fixtures)) : "0"), "num"],
  ["Success", (x) => (x.success_rate === null ? "–" : `${x.success_rate} %`), "num"],
  ["Fixtures/s", (x) => x.fixtures_per_second ?? "–", "num"],
];

export async function runs({ search, signal, go }) {
  const status = search.get("status") ?? "";
  const before = search.get("before") ?? "";
  const data = await get("executions", { status, before }, signal);
  const pick = h("select", { id: "run-status", onchange: (e) => go(`#/runs${query({ status: e.target.value })}`) },
    [["", "all"], ["RUNNING", "running"], ["COMPLETED", "completed"], ["FAILED", "failed"], ["CANCELLED", "cancelled"]].map(([value, label]) => h("option", { value, selected: value === status }, label)));
  return h("div", { class: "stack" }, card("Runs",
    h("div", { class: "filters" }, h("label", {}, "Status ", pick), downloads("executions", query({ status }))),
    data.rows.length ? table("Runs", runColumns, data.rows) : empty("No such run.", status ? "Choose another status." : "Trigger the DAG sportmonks_catalog first, then a league's DAG."),
    h("p", { class: "pager" }, before ? h("a", { class: "button", href: `#/runs${query({ status })}` }, "Newest") : null, data.next ? h("a", { class: "button", href: `#/runs${query({ status, before: data.next })}` }, "Older") : null)));
}

const chunkColumns = (id, x) => [
  ["Season", (c) => h("a", { href: `#/season/${c.league_id}/${c.season_id}` }, `${c.league_name} ${c.season_name || c.season_id}`)],
  ["Status", (c) => badge(c.status)],
  ["Done", (c) => h("span", { class: "done" }, bar(c.processed, c.planned, `${c.season_name}: ${percent(c.processed, c.planned)} %`), ` ${count(c.processed)} / ${count(c.planned)}`)],
  ["Saved", (c) => count(c.saved), "num"],
  ["Same", (c) => count(c.unchanged), "num"],
  ["Failed", (c) => (c.failed ? h("strong", { class: "bad" }, count(c.failed)) : "0"), "num"],
  ["Missing", (c) => count(c.missing), "num"],
  ["Calls", (c) => count(c.api_calls), "num"],
  ["Failed calls", (c) => (c.failed_calls ? h("strong", { class: "bad" }, count(c.failed_calls)) : "0"), "num"],
  ["Tries", (c) => count(c.tries), "num"],
  ["MB", (c) => (c.bytes / 1e6).toFixed(1), "num"],
  ["Duration", (c) => duration(c.duration_seconds), "num"],
  ["Logs", (c) => h("a", { href: `#/logs${query({ execution_id: id, chunk_id: c.chunk_id })}` }, "logs")],
  ["Airflow", (c) => (c.task_id ? airflowLink(x.dag_id, x.run_id, "task", c.task_id) : "")],
];

export async function run({ parts, signal }) {
  const id = parts[0];
  const x = await get(`executions/${encodeURIComponent(id)}`, {}, signal);
  const failed = x.chunks.filter((c) => c.error_message);
  const skipped = x.chunks.filter((c) => c.status === "SKIPPED").length;
  const shown = x.chunks.filter((c) => c.status !== "SKIPPED");
  return h("div", { class: "stack" },
    h("p", { class: "crumbs" }, h("a", { href: "#/runs" }, "Runs"), " / ", x.execution_id),
    card(x.dag_id ?? x.execution_id,
      h("p", { class: "row wrap" }, badge(x.status), airflowLink(x.dag_id, x.run_id, x.run_id ?? "open in Airflow"), h("a", { href: `#/logs${query({ execution_id: id })}` }, "its logs"), h("a", { href: `api/export/all.json${query({ execution_id: id })}`, download: "" }, "export JSON"), startedTogether(x)),
      x.status === "RUNNING" ? h("div", {}, bar(x.processed_fixtures, x.total_fixtures, "Progress"), h("p", { class: "dim" }, `${percent(x.processed_fixtures, x.total_fixtures)} % of ${count(x.total_fixtures)} fixtures`)) : null,
      x.error_message ? h("p", { class: "reason bad" }, x.error_message) : null,
      h("dl", { class: "figures" },
        [["Started", clock(x.started_at)], ["Finished", clock(x.finished_at)], ["Duration", duration(x.duration_seconds)], ["Fixtures", `${count(x.processed_fixtures)} of ${count(x.total_fixtures)}`], ["Stored", count(x.successful_fixtures)], ["Failed", count(x.failed_fixtures)], ["Missing", count(x.missing_fixtures)], ["Success rate", x.success_rate === null ? "–" : `${x.success_rate} %`], ["Fixtures/s", x.fixtures_per_second ?? "–"], ["API calls", count(x.api_calls)], ["Failed calls", count(x.failed_calls)], ["Seasons", `${x.processed_chunks} of ${x.total_chunks}`]]
          .map(([label, value]) => h("div", { class: "figure" }, h("dt", {}, label), h("dd", {}, value))))),
    failed.length ? card("What went wrong", h("ul", { class: "plainlist" }, failed.map((c) => h("li", {}, h("strong", {}, `${c.league_name} ${c.season_name}: `), c.error_message))),
      h("p", { class: "hint" }, "Remove the cause, then clear the failed season's group in Airflow with “only failed”: it goes on where it stopped.")) : null,
    card("Seasons", shown.length ? table("Seasons of this run", chunkColumns(id, x), shown) : empty("No season had anything due.", "Nothing to do: the run only read the indexes."), skipped ? h("p", { class: "dim" }, `${skipped} seasons had nothing due.`) : null),
    h("div", { class: "columns" },
      card("Why they were due", x.reasons.length ? table("Reasons", [["Reason", (r) => r.reason.replaceAll("_", " ")], ["Planned", (r) => count(r.planned), "num"], ["Saved", (r) => count(r.saved), "num"], ["Same", (r) => count(r.unchanged), "num"], ["Held", (r) => count(r.held), "num"], ["Failed", (r) => count(r.failed), "num"], ["Open", (r) => count(r.pending), "num"]], x.reasons) : empty("No plan stored.", "The plans of old runs are deleted after a while; their figures stay.")),
      card("Provider's corrections", x.changes.length ? table("Corrections found by this run", [["Section", (c) => h("a", { href: `#/corrections${query({ execution_id: id })}` }, c.section)], ["Changes", (c) => count(c.changes), "num"], ["Fixtures", (c) => count(c.fixtures), "num"]], x.changes) : empty("None found.", ""))),
    card("Settings", h("details", { id: "config" }, h("summary", {}, "Parameters and estimate"), h("pre", {}, JSON.stringify({ parameters: x.config, estimate: x.estimate }, null, 2)))));
}
