// What was started together on this page: one run per league, with the progress of each, and the way to stop them.
import { h, card, count, bar, badge, empty, percent, table, airflowLink, note } from "./dom.js";
import { get, Trouble } from "./api.js";
import { CANCELLED, isOver, runsWith, stop } from "./airflow.js";
import { startLink } from "./actions.js";

const ID = /^page__(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z_/;
const WAITING = { queued: "QUEUED", running: "RUNNING", success: "COMPLETED", failed: "FAILED" };
// Where the question whether to stop all is open: a refresh must not take it away under somebody's hand.
let confirming = "";

// From a run to what was started with it.
export const startedTogether = (run) => (ID.test(run.run_id ?? "") ? h("a", { href: `#/backfill/${encodeURIComponent(run.run_id)}` }, "all that was started with it") : null);

// The clocks of Airflow's and of the page's database may differ by a little.
function since(id) {
  const [, y, m, d, hour, minute, second] = ID.exec(id) ?? [];
  return y ? new Date(Date.UTC(y, m - 1, d, hour, minute, second) - 600000).toISOString() : undefined;
}

function state(line) {
  const { execution, run } = line;
  if (run?.note === CANCELLED) return isOver(run) ? "CANCELLED" : "CANCELLING";
  return execution?.status ?? WAITING[run?.state] ?? "UNKNOWN";
}

const goesOn = (line) => line.run && !isOver(line.run) && line.run.note !== CANCELLED && !["COMPLETED", "FAILED"].includes(line.execution?.status);
const sum = (lines, pick) => lines.reduce((total, line) => total + (pick(line) ?? 0), 0);
const calls = (estimate) => Object.values(estimate?.calls ?? {}).reduce((total, n) => total + n, 0);

function what(line) {
  const { execution, run } = line;
  const failed = execution?.failed_seasons ?? [];
  if (failed.length) return h("ul", { class: "plainlist" }, failed.map((season) => h("li", {}, h("a", { href: `#/season/${season.league_id}/${season.season_id}` }, season.season_name), `: ${season.error_message ?? "failed"}`)));
  if (execution?.error_message) return execution.error_message;
  if (execution?.failed_fixtures) return `${count(execution.failed_fixtures)} fixtures failed`;
  if (!execution && run?.state === "queued") return h("span", { class: "dim" }, "waits: Airflow has no free place, or another run of this DAG is not over");
  return "";
}

const columns = (dry, cancel) => [
  ["League", (x) => (x.execution ? h("a", { href: `#/run/${encodeURIComponent(x.execution.execution_id)}` }, x.name) : x.league ? h("a", { href: `#/league/${x.league.league_id}` }, x.name) : x.name)],
  ["State", (x) => badge(state(x))],
  ...(dry ? [
    ["Fixtures due", (x) => count(x.execution?.estimate?.fixtures), "num"],
    ["Calls", (x) => (x.execution?.estimate ? count(calls(x.execution.estimate)) : "–"), "num"],
    ["Minutes", (x) => count(x.execution?.estimate?.minutes), "num"],
  ] : [
    ["Seasons", (x) => (x.execution ? `${count(x.execution.seasons_done)} of ${count(x.execution.seasons)}` : "–"), "num"],
    ["Fixtures", (x) => (x.execution ? h("span", { class: "done" }, bar(x.execution.processed_fixtures, x.execution.total_fixtures, `${x.name}: ${percent(x.execution.processed_fixtures, x.execution.total_fixtures)} %`), ` ${count(x.execution.successful_fixtures)} of ${count(x.execution.total_fixtures)} saved`) : "–")],
    ["Calls", (x) => count(x.execution?.api_calls), "num"],
  ]),
  ["What failed", what],
  ["Airflow", (x) => airflowLink(x.dag_id, x.run?.dag_run_id ?? x.execution?.run_id, "run")],
  ["Cancel", (x) => (goesOn(x) ? h("button", { type: "button", "aria-label": `Cancel ${x.name}`, onclick: () => cancel([x]) }, "Cancel") : "")],
];

export async function backfill({ parts, signal, refresh }) {
  const id = parts[0] ?? "";
  const [mine, theirs] = await Promise.all([
    get(`backfills/${encodeURIComponent(id)}`, {}, signal),
    // Without the permission to list runs, the figures of the warehouse are still there.
    runsWith(id, since(id), signal).catch((error) => { if (error.status === 403 || error.status === 404) return null; throw error; }),
  ]);
  const lines = new Map();
  const line = (dagId) => {
    if (!lines.has(dagId)) lines.set(dagId, { dag_id: dagId, league: mine.leagues[dagId], name: mine.leagues[dagId]?.league_name ?? dagId });
    return lines.get(dagId);
  };
  for (const execution of mine.rows) line(execution.dag_id).execution = execution;
  for (const run of theirs ?? []) line(run.dag_id).run = run;
  const all = [...lines.values()].sort((a, b) => a.name.localeCompare(b.name));
  if (!all.length) return card("Started together", empty("There is nothing of this name.", "Its runs may have been deleted, or your Airflow role may not see them."));
  const dry = all.some((x) => x.execution?.dry_run || x.run?.conf?.dry_run);
  const open = all.filter(goesOn);
  const done = all.filter((x) => !["QUEUED", "RUNNING", "CANCELLING"].includes(state(x)));

  async function cancel(which) {
    const results = await Promise.allSettled(which.map((x) => stop(x.dag_id, x.run.dag_run_id)));
    const refused = results.filter((result) => result.status === "rejected").map((result) => result.reason);
    if (refused.length) note(refused.map((error) => (error instanceof Trouble ? `${error.message} ${error.hint}` : String(error))).join(" "), "bad");
    else note(`${which.length === 1 ? which[0].name : `${which.length} runs`}: stopped. What is stored stays.`);
    refresh();
  }

  // In the page itself: a frame of Airflow's may open no dialog of the browser.
  const question = (shown) => { confirming = shown ? id : ""; ask.hidden = shown; sure.hidden = !shown; };
  const ask = h("button", { type: "button", id: "cancel-all", onclick: () => { question(true); sure.querySelector("button").focus(); } }, `Cancel ${open.length === 1 ? "the run" : `all ${open.length} runs`} that go${open.length === 1 ? "es" : ""} on…`);
  const sure = h("span", { class: "row wrap" }, h("strong", {}, "Stop them? What is stored stays, and a later run goes on from there."),
    h("button", { type: "button", class: "danger", onclick: () => { confirming = ""; cancel(open); } }, "Stop them"), h("button", { type: "button", onclick: () => { question(false); ask.focus(); } }, "Let them go on"));
  question(confirming === id);
  const total = sum(all, (x) => x.execution?.total_fixtures);
  const saved = sum(all, (x) => x.execution?.successful_fixtures);
  const figures = dry
    ? [["Fixtures due", count(sum(all, (x) => x.execution?.estimate?.fixtures))], ["Calls", count(sum(all, (x) => calls(x.execution?.estimate)))], ["Minutes, one league after the other", count(Math.round(sum(all, (x) => x.execution?.estimate?.minutes) * 10) / 10)]]
    : [["Fixtures saved", `${count(saved)} of ${count(total)}`], ["Seasons", `${count(sum(all, (x) => x.execution?.seasons_done))} of ${count(sum(all, (x) => x.execution?.seasons))}`], ["Calls", count(sum(all, (x) => x.execution?.api_calls))], ["Failed fixtures", count(sum(all, (x) => x.execution?.failed_fixtures))]];
  const user = all.find((x) => x.run?.triggering_user_name)?.run.triggering_user_name;
  return h("div", { class: "stack" },
    h("p", { class: "crumbs" }, h("a", { href: "#/runs" }, "Runs"), ` / ${id}`),
    card(dry ? "Estimate" : "Collection",
      h("p", { class: "row wrap" }, h("strong", {}, `${done.length} of ${all.length} leagues are done`), user ? h("span", { class: "dim" }, `started by ${user}`) : null, dry ? startLink(again(all), "Collect this…") : null, open.length ? ask : null, open.length ? sure : null),
      dry ? null : bar(sum(all, (x) => x.execution?.processed_fixtures), total, "Progress of all leagues"),
      h("dl", { class: "figures" }, figures.map(([label, value]) => h("div", { class: "figure" }, h("dt", {}, label), h("dd", {}, value)))),
      theirs ? null : h("p", { class: "hint" }, "Your Airflow role may not list DAG runs: runs that have not begun are not shown, and none can be cancelled here.")),
    card("Leagues", table("Leagues", columns(dry, cancel), all)));
}

// The same choice again, for the form.
function again(all) {
  const conf = (x) => x.run?.conf ?? x.execution?.config ?? {};
  const known = all.filter((x) => x.league);
  const chunks = known.flatMap((x) => (conf(x).seasons ?? []).map((season) => `${x.league.league_id}_${season}`));
  const leagues = known.filter((x) => !conf(x).seasons?.length).map((x) => x.league.league_id);
  const { seasons, dry_run, ...params } = conf(known[0] ?? all[0]);
  return { chunks, leagues, params };
}
