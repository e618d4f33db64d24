// Alerts: what, where, since when, what to do; acknowledge.
import { h, card, when, badge, empty, airflowLink, note, downloads } from "./dom.js";
import { get, me, acknowledge, query } from "./api.js";
import { footer, size } from "./lists.js";

export function alertCard(a, user, refresh) {
  let busy = false; // not "disabled", which would throw the focus away
  const press = async () => {
    if (busy) return;
    busy = true;
    try {
      await acknowledge(a.alert_id);
      note(`Acknowledged: ${a.subject}`);
      refresh();
    } catch (error) {
      busy = false;
      note(`${error.message} ${error.hint ?? ""}`, "bad");
    }
  };
  const where = a.season_id ? h("a", { href: `#/season/${a.league_id}/${a.season_id}` }, "season") : null;
  return h("article", { class: `alert ${a.severity.toLowerCase()} ${a.status.toLowerCase()}`, "data-alert": a.alert_id, id: `alert-${a.alert_id}`, tabindex: "-1" },
    h("div", { class: "row wrap" }, badge(a.severity), h("h3", {}, `${a.kind_name}: ${a.subject}`), a.status !== "OPEN" ? badge(a.status) : null),
    h("p", {}, a.message),
    a.hint ? h("p", { class: "hint" }, h("strong", {}, "What to do: "), a.hint) : null,
    h("p", { class: "row wrap dim" }, h("span", {}, "since ", when(a.opened_at)), a.status === "RESOLVED" ? h("span", {}, "over ", when(a.resolved_at)) : h("span", {}, "seen ", when(a.last_seen_at)),
      a.acknowledged_by ? h("span", {}, `acknowledged by ${a.acknowledged_by}`) : null, where,
      (a.fixtures ?? []).map((f) => h("a", { href: `#/fixture/${f.fixture_id}` }, f.name ?? `fixture ${f.fixture_id}`)),
      a.execution_id ? h("a", { href: `#/run/${encodeURIComponent(a.execution_id)}` }, "run") : null,
      a.dag_id ? airflowLink(a.dag_id, a.run_id, "in Airflow") : null,
      a.status === "OPEN" && user.may_acknowledge ? h("button", { type: "button", id: `ack-${a.alert_id}`, "aria-label": `Acknowledge: ${a.subject}`, onclick: press }, "Acknowledge") : null));
}

export async function alerts({ search, signal, refresh }) {
  const state = search.get("state") ?? "live";
  const before = search.get("before") ?? "";
  const name = `alerts${query({ state, before })}`;
  const [data, user] = await Promise.all([get("alerts", { state, before, limit: size(name, 50) }, signal), me()]);
  const choices = h("div", { class: "choices", role: "group", "aria-label": "Which alerts" }, [["live", "Live"], ["resolved", "Resolved"], ["all", "All"]].map(([value, label]) => h("a", { class: "button", href: `#/alerts${query({ state: value })}`, "aria-current": value === state ? "true" : undefined }, label)));
  return h("div", { class: "stack" }, card("Alerts", h("div", { class: "filters" }, choices, downloads("alerts", query({ state }))),
    data.rows.length ? h("div", { class: "stack tight" }, data.rows.map((a) => alertCard(a, user, refresh))) : empty(state === "live" ? "No alert is open." : "No alert here.", state === "live" ? "The DAG etl_watch looks every ten minutes. Is it unpaused?" : ""),
    footer("alerts", { name, first: 50, shown: data.rows.length, total: data.total, refresh, older: data.next && `#/alerts${query({ state, before: data.next })}` }),
    user.may_acknowledge ? null : h("p", { class: "dim" }, "Your role may look, but not acknowledge: that needs the right to edit the DAG etl_watch.")));
}
