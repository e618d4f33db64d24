// Executions: the list, and one of them with its seasons.
import { h, card, count, duration, when, clock, bar, badge, empty, percent, table, airflowLink, downloads } from "./dom.js";
import { get, query } from "./api.js";
import { startedTogether } from "./backfill.js";
import { footer, size } from "./lists.js";

const KINDS = { league: "leagues", catalog: "catalog", route: "raw routes", collector: "own collectors" };
const TYPES = { scheduled: "scheduled", manual: "manual", backfill: "backfill", asset_triggered: "by an asset", asset_materialization: "by an asset", operator_triggered: "by another DAG" };

// League, catalog, route or collector.
export const runName = (x) => (x.kind === "catalog" ? "Catalog" : x.kind === "collector" ? x.collector : x.league_name || (x.dag_id ?? "").replace(/^sportmonks_/, "") || x.execution_id);

// How it was started, by whom, and whether it was cleared since. Older runs have the type in their id only.
export function origin(x) {
  const type = x.run_type || /^([a-z_]+)__/.exec(x.run_id ?? "")?.[1];
  return [type ? TYPES[type] ?? type : "", x.triggered_by ? ` by ${x.triggered_by}` : "", x.cleared ? ", cleared" : ""].join("") || "–";
}

const dryRun = (x) => x.dry_run && x.status === "COMPLETED";
const failures = (x) => x.failed_fixtures ?? x.failed_records ?? 0;

export const runBadge = (x) => (dryRun(x) ? h("span", { class: "badge estimate" }, h("span", { "aria-hidden": "true" }, "≈"), " ESTIMATE") : badge(x.status));

export const runColumns = [
  ["Run", (x) => [h("a", { href: `#/run/${encodeURIComponent(x.execution_id)}` }, runName(x), x.dry_run ? " (dry run)" : ""), x.cause ? h("p", { class: "cause bad" }, x.cause) : null]],
  ["How started", origin],
  ["Status", runBadge],
  ["Started", (x) => when(x.started_at)],
  ["Duration", (x) => duration(x.duration_seconds), "num"],
  ["Seasons", (x) => (x.kind === "league" ? count(x.total_chunks) : "–"), "num"],
  ["Fixtures", (x) => (dryRun(x) ? `${count(x.estimated_fixtures)} due` : x.kind === "league" ? `${count(x.processed_fixtures)} / ${count(x.total_fixtures)}` : `${count(x.records)} rows`), "num"],
  ["Failed", (x) => (failures(x) ? h("strong", { class: "bad" }, count(failures(x))) : "0"), "num"],
  ["Success", (x) => (x.success_rate === null || x.success_rate === undefined ? "–" : `${x.success_rate} %`), "num"],
  ["Attempts", (x) => count(x.attempts), "num"],
  ["Fixtures/s", (x) => x.fixtures_per_second ?? "–", "num"],
];

export async function runs({ search, signal, go, refresh }) {
  const status = search.get("status") ?? "";
  const kind = search.get("kind") ?? "";
  const before = search.get("before") ?? "";
  const name = `runs${query({ status, kind, before })}`;
  const data = await get("executions", { status, kind, before, limit: size(name, 25) }, signal);
  const kinds = h("select", { id: "run-kind", onchange: (e) => go(`#/runs${query({ status, kind: e.target.value })}`) },
    [["", "all"], ...Object.entries(KINDS)].map(([value, label]) => h("option", { value, selected: value === kind }, label)));
  const pick = h("select", { id: "run-status", onchange: (e) => go(`#/runs${query({ status: e.target.value, kind })}`) },
    [["", "all"], ["RUNNING", "running"], ["COMPLETED", "completed"], ["FAILED", "failed"], ["CANCELLED", "cancelled"]].map(([value, label]) => h("option", { value, selected: value === status }, label)));
  return h("div", { class: "stack" }, card("Runs",
    h("div", { class: "filters" }, h("label", {}, "Status ", pick), h("label", {}, "Of ", kinds), downloads("executions", query({ status, kind }))),
    data.rows.length ? table("Runs", runColumns, data.rows) : empty("No such run.", status ? "Choose another status." : "Trigger the DAG sportmonks_catalog first, then a league's DAG."),
    before ? h("p", {}, h("a", { class: "button", href: `#/runs${query({ status, kind })}` }, "Newest")) : null,
    footer("runs", { name, first: 25, shown: data.rows.length, total: data.total, refresh, older: data.next && `#/runs${query({ status, kind, before: data.next })}` })));
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

const facts = (pairs) => h("dl", { class: "figures" }, pairs.map(([label, value]) => h("div", { class: "figure" }, h("dt", {}, label), h("dd", {}, value))));

// What a run would cost, or what its plan promised.
function estimate(x) {
  const e = x.estimate;
  if (!e) return card("Estimate", empty("There is no estimate.", x.status === "RUNNING" ? "It stands when the indexes have been read." : "The run ended before its plan stood; see its logs."));
  const calls = Object.values(e.calls ?? {}).reduce((sum, n) => sum + n, 0);
  return card("Estimate",
    facts([["Fixtures", count(e.fixtures)], ["API calls", count(calls)], ["Minutes", e.minutes ?? "–"], ["Calls that the budget grants now", count(e.available_now)], ["Seasons", count((e.chunks ?? []).length)],
      ...Object.entries(e.left_out ?? {}).filter(([, n]) => n).map(([name, n]) => [`Left out by ${name}`, count(n)])]),
    (e.chunks ?? []).length ? table("Estimate by season", [["Season", (c) => (x.league_id ? h("a", { href: `#/season/${x.league_id}/${c.season_id}` }, c.season) : c.season)], ["Fixtures", (c) => count(c.fixtures), "num"], ["Calls", (c) => count(c.calls), "num"]], e.chunks) : null,
    Object.keys(e.by_reason ?? {}).length ? table("Estimate by reason", [["Why they are due", ([name]) => name.replaceAll("_", " ")], ["Fixtures", ([, n]) => count(n), "num"]], Object.entries(e.by_reason)) : null);
}

// A run of the catalog, of a raw route or of a collector: what each of its lists brought.
function other(x) {
  return h("div", { class: "stack" },
    h("p", { class: "crumbs" }, h("a", { href: "#/runs" }, "Runs"), " / ", x.execution_id),
    card(runName(x),
      h("p", { class: "row wrap" }, badge(x.status), x.dag_id ? airflowLink(x.dag_id, x.run_id, x.run_id ?? x.dag_id) : null, h("a", { href: `#/logs${query({ execution_id: x.execution_id })}` }, "its logs"), x.kind === "route" ? h("a", { href: "#/routes" }, "all routes") : null),
      x.error_message ? h("p", { class: "reason bad" }, x.error_message) : null,
      facts([["How started", origin(x)], ["Started", clock(x.started_at)], ["Finished", clock(x.finished_at)], ["Duration", duration(x.duration_seconds)], ["Rows read", count(x.records)], ["New", count(x.new_records)], ["Failed", count(x.failed_records)], ["API calls", count(x.api_calls)], ["Failed calls", count(x.failed_calls)]])),
    card("Lists", table("Lists of this run", [
      ["List", (c) => [c.collector_name, c.error_message && c.status === "FAILED" ? h("p", { class: "reason bad" }, c.error_message) : null]], ["Status", (c) => badge(c.status)], ["Started", (c) => when(c.started_at)], ["Duration", (c) => duration(c.duration_seconds), "num"],
      ["Rows read", (c) => count(c.records_processed), "num"], ["New", (c) => count(c.records_inserted), "num"], ["Changed", (c) => count(c.records_updated), "num"], ["Same", (c) => count(c.records_unchanged), "num"], ["Failed", (c) => count(c.records_failed), "num"], ["Calls", (c) => count(c.api_calls), "num"]], x.collectors)));
}

export async function run({ parts, signal }) {
  const id = parts[0];
  const x = await get(`executions/${encodeURIComponent(id)}`, {}, signal);
  if (x.kind !== "league") return other(x);
  const failed = x.chunks.filter((c) => c.error_message);
  const skipped = x.chunks.filter((c) => c.status === "SKIPPED").length;
  const shown = x.chunks.filter((c) => c.status !== "SKIPPED");
  return h("div", { class: "stack" },
    h("p", { class: "crumbs" }, h("a", { href: "#/runs" }, "Runs"), " / ", x.execution_id),
    x.dry_run ? estimate(x) : null,
    card([x.league_name, x.dag_id ?? x.execution_id].filter(Boolean).join(": "),
      h("p", { class: "row wrap" }, runBadge(x), airflowLink(x.dag_id, x.run_id, x.run_id ?? "open in Airflow"), h("a", { href: `#/logs${query({ execution_id: id })}` }, "its logs"), h("a", { href: `api/export/all.json${query({ execution_id: id })}`, download: "" }, "export JSON"), startedTogether(x)),
      x.status === "RUNNING" ? h("div", {}, bar(x.processed_fixtures, x.total_fixtures, "Progress"), h("p", { class: "dim" }, `${percent(x.processed_fixtures, x.total_fixtures)} % of ${count(x.total_fixtures)} fixtures`)) : null,
      x.error_message ? h("p", { class: "reason bad" }, x.error_message) : null,
      h("dl", { class: "figures" },
        [["How started", origin(x)], ["Attempts", count(x.attempts)], ["Started", clock(x.started_at)], ["Finished", clock(x.finished_at)], ["Duration", duration(x.duration_seconds)], ["Fixtures", `${count(x.processed_fixtures)} of ${count(x.total_fixtures)}`], ["Stored", count(x.successful_fixtures)], ["Failed", count(x.failed_fixtures)], ["Missing", count(x.missing_fixtures)], ["Success rate", x.success_rate === null ? "–" : `${x.success_rate} %`], ["Fixtures/s", x.fixtures_per_second ?? "–"], ["API calls", count(x.api_calls)], ["Failed calls", count(x.failed_calls)], ["Seasons", `${count(x.processed_chunks)} of ${count(x.total_chunks)}`]]
          .map(([label, value]) => h("div", { class: "figure" }, h("dt", {}, label), h("dd", {}, value))))),
    failed.length ? card("What went wrong", h("ul", { class: "plainlist" }, failed.map((c) => h("li", {}, h("strong", {}, `${c.league_name} ${c.season_name}: `), c.error_message))),
      h("p", { class: "hint" }, "Remove the cause, then clear the failed season's group in Airflow with “only failed”: it goes on where it stopped.")) : null,
    x.dry_run && !shown.length ? null : card("Seasons", shown.length ? table("Seasons of this run", chunkColumns(id, x), shown) : empty("No season had anything due.", "Nothing to do: the run only read the indexes."), skipped ? h("p", { class: "dim" }, `${skipped} seasons had nothing due.`) : null),
    h("div", { class: "columns" },
      card("Why they were due", x.reasons.length ? table("Reasons", [["Reason", (r) => r.reason.replaceAll("_", " ")], ["Planned", (r) => count(r.planned), "num"], ["Saved", (r) => count(r.saved), "num"], ["Same", (r) => count(r.unchanged), "num"], ["Held", (r) => count(r.held), "num"], ["Failed", (r) => count(r.failed), "num"], ["Open", (r) => count(r.pending), "num"]], x.reasons) : empty("No plan stored.", "The plans of old runs are deleted after a while; their figures stay.")),
      card("Provider's corrections", x.changes.length ? table("Corrections found by this run", [["Section", (c) => h("a", { href: `#/corrections${query({ execution_id: id })}` }, c.section)], ["Changes", (c) => count(c.changes), "num"], ["Fixtures", (c) => count(c.fixtures), "num"]], x.changes) : empty("None found.", ""))),
    card("Settings", h("details", { id: "config" }, h("summary", {}, "Parameters and estimate"), h("pre", {}, JSON.stringify({ parameters: x.config, estimate: x.estimate }, null, 2)))));
}
