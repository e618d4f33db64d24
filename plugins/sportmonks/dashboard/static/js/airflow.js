// Airflow's own REST API, used as the user who is logged in: Airflow checks the permission, keeps its audit log and
// refuses what does not fit. Only endpoints that Airflow 3.1, 3.2 and 3.3 have.
import { call, query, Trouble } from "./api.js";
import { airflowRoot } from "./dom.js";

// The note of a run that was stopped here, by which it is known as cancelled.
export const CANCELLED = "Cancelled on the ETL dashboard.";
const FINAL = new Set(["success", "failed"]);
const PAGE = 100;

const api = (path, options) => call(`${airflowRoot()}api/v2/${path}`, options);
const json = (method, body) => ({ method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
const dag = (id) => `dags/${encodeURIComponent(id)}`;
const run = (dagId, runId) => `${dag(dagId)}/dagRuns/${encodeURIComponent(runId)}`;

export const isOver = (found) => FINAL.has(found.state);

// A sentence for each way in which Airflow can refuse. `what`: "trigger", "stop".
function refusal(error, dagId, what) {
  if (!(error instanceof Trouble)) return error;
  const sentences = {
    403: [`Your Airflow role may not ${what} runs of ${dagId}.`, "Ask an Airflow administrator for the permission."],
    404: [`Airflow has no DAG ${dagId}.`, "Wait until the DAG processor has read the manifest; if it stays away, run the DAG sportmonks_catalog."],
    409: [`${dagId} has a run with this id already.`, "Look at it in Airflow."],
    422: [`Airflow does not understand the request for ${dagId}.`, "Its release may be one that this page does not know; trigger the DAG in Airflow."],
    400: [`Airflow refuses the run of ${dagId}: ${error.message}`, "Correct the value that it names."],
  };
  return new Trouble(error.status, ...(sentences[error.status] ?? [`${dagId}: ${error.message}`, error.hint]));
}

// Raises Trouble when a run of this DAG could not start.
export async function requireRunnable(dagId) {
  let found;
  try {
    found = await api(dag(dagId));
  } catch (error) {
    throw refusal(error, dagId, "see");
  }
  if (found.has_import_errors) throw new Trouble(400, `${dagId} cannot be imported.`, "See the import errors on Airflow's home page.");
  if (found.is_stale) throw refusal(new Trouble(404, "", ""), dagId, "see");
  if (found.is_paused) throw new Trouble(409, `${dagId} is paused: a run of it would not begin.`, "Unpause it in Airflow first.");
}

export async function trigger(dagId, runId, conf) {
  try {
    return await api(`${dag(dagId)}/dagRuns`, json("POST", { dag_run_id: runId, logical_date: null, conf }));
  } catch (error) {
    throw refusal(error, dagId, "trigger");
  }
}

// As Airflow's "mark as failed": what runs is stopped, and the tasks that close seasons and run still do so.
export async function stop(dagId, runId) {
  try {
    return await api(run(dagId, runId), json("PATCH", { state: "failed", note: CANCELLED }));
  } catch (error) {
    throw refusal(error, dagId, "stop");
  }
}

// The runs of all DAGs that have this id, as far as the user may see them. `since`: none of them is older.
export async function runsWith(runId, since, signal) {
  const found = [];
  for (let offset = 0; ; offset += PAGE) {
    const page = await api(`dags/~/dagRuns${query({ run_id_pattern: runId, run_after_gte: since, limit: PAGE, offset })}`, { signal });
    found.push(...page.dag_runs.filter((one) => one.dag_run_id === runId));
    if (page.dag_runs.length < PAGE) return found;
  }
}
