"""Airflow's KubernetesExecutor for a running local stack: a scheduler with it in the place of the stack's own, and the
Kubernetes API played by a small server whose pods are processes of this machine.

Pods run the wheel, with the stack's DAG files and catalog in place of those in an image, and with the environment that
the Helm chart makes of deploy/helm/values.yaml. The provider is not among the locked requirements, so scheduler and
pods run in environments that lie on top of this interpreter's.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sysconfig
import venv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import yaml

from local.stack.airflow import COMPONENTS
from tests.dags.other_release import NotToBeHadError as NoWheelError
from tests.dags.other_release import build_wheel
from tests.harness.kubernetes_api import KubernetesApi
from tests.harness.paths import REPO
from tests.harness.pods import NAMESPACE, Pods, kill_session
from tests.harness.workers import NotToBeHadError, end_scheduler, provider_environment

if TYPE_CHECKING:
    from tests.e2e.stack import Etl

PROVIDER = "apache-airflow-providers-cncf-kubernetes"
VALUES = yaml.safe_load((REPO / "deploy" / "helm" / "values.yaml").read_text(encoding="utf-8"))


def image_environment(folder: Path, beside: Path) -> Path:
    """The folder of programs of an environment with the wheel, and with what the interpreter ``beside`` has."""
    venv.create(folder, with_pip=False, clear=True)
    below = Path(sysconfig.get_path("purelib"))
    site = next((folder / "lib").glob("python*")) / "site-packages"
    packages = next((beside.parent.parent / "lib").glob("python*")) / "site-packages"
    (site / "beside.pth").write_text(f"{packages}\n{below}\n", encoding="utf-8")
    try:
        wheel = build_wheel(folder / "dist")
    except NoWheelError as reason:
        raise NotToBeHadError(str(reason)) from None
    command = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*command, "--no-deps", "--target", str(site), str(wheel)], check=True, capture_output=True)
    return folder / "bin"


@dataclass
class Cluster:
    """``pods`` of ``etl`` and the scheduler that makes them. ``python``: the interpreter with the provider."""

    etl: Etl
    python: Path
    folder: Path
    env: dict[str, str]
    pods: Pods
    api: KubernetesApi
    scheduler: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _used: float = field(default=0.0, init=False)

    def schedule(self, executor: str, at_once: int) -> None:
        """A new scheduler, instead of the one before, that runs at most so many tasks at the same time. Pods go on."""
        self.stop()
        env = self.env | {"AIRFLOW__CORE__EXECUTOR": executor, "AIRFLOW__CORE__PARALLELISM": str(at_once)}
        with (self.folder / "scheduler.log").open("ab") as output:
            self.scheduler = subprocess.Popen(
                [str(self.python), "-m", "airflow", *COMPONENTS["scheduler"]],
                env=env,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def collecting(self) -> list[str]:
        """The pods that have stored a batch of their season and are not at its end."""
        running = [name for name in self.pods.running() if self.pods.task(name).endswith(".collect")]
        return [name for name in running if "Batch " in self.pods.output(name)]

    def cpu_seconds(self) -> float:
        """Of all schedulers with their processes, and of all pods that have ended."""
        return self._used + self._of_scheduler() + sum(pod.ru_utime + pod.ru_stime for pod in self.pods.usage.values())

    def stop(self) -> None:
        """End the scheduler: by force after three seconds, because its executor waits long for its watchers."""
        if self.scheduler is None:
            return
        self._used += self._of_scheduler()
        self.scheduler.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.scheduler.wait(timeout=3)
        kill_session(self.scheduler.pid)
        self.scheduler.wait(timeout=10)
        self.scheduler = None

    def _of_scheduler(self) -> float:
        if self.scheduler is None:
            return 0.0
        used, leader = 0.0, psutil.Process(self.scheduler.pid)
        for process in [leader, *leader.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                used += times.user + times.system + times.children_user + times.children_system
        return used


@contextmanager
def cluster(etl: Etl, folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[Cluster]:
    """A stack without a scheduler yet, whose pods run in ``folder``; all is ended afterwards.

    ``settings``: further variables of scheduler and pods. NotToBeHadError where the provider or the wheel cannot be
    had; nothing has changed then.
    """
    python = provider_environment(folder / "environment", PROVIDER)
    programs = image_environment(folder / "image", python)
    include = folder / "include"
    include.mkdir()
    shutil.copy(Path(etl.env["ETL_INCLUDE_DIR"]) / "catalog.yaml", include)
    (folder / "pods").mkdir()
    env = end_scheduler(etl)
    image = {
        "PATH": f"{programs}{os.pathsep}{os.defpath}",
        "LANG": "C.UTF-8",
        "ETL_INCLUDE_DIR": str(include),
        "AIRFLOW__CORE__DAGS_FOLDER": env["AIRFLOW__CORE__DAGS_FOLDER"],
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }
    pods = Pods(folder / "pods", image, secrets_of(env))
    api = KubernetesApi(pods)
    (folder / "kubeconfig").write_text(yaml.safe_dump(kubeconfig(api.url)), encoding="utf-8")
    more = configuration() | dict(settings or {})
    address = env["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"]
    template = pod_template(more | {"AIRFLOW__CORE__EXECUTION_API_SERVER_URL": address})
    (folder / "pod.yaml").write_text(yaml.safe_dump(template), encoding="utf-8")
    options = {
        "NAMESPACE": NAMESPACE,
        "IN_CLUSTER": "False",
        "CONFIG_FILE": str(folder / "kubeconfig"),
        "POD_TEMPLATE_FILE": str(folder / "pod.yaml"),
        "WORKER_CONTAINER_REPOSITORY": VALUES["defaultAirflowRepository"],
        "WORKER_CONTAINER_TAG": VALUES["defaultAirflowTag"],
    }
    env |= more | {f"AIRFLOW__KUBERNETES_EXECUTOR__{name}": value for name, value in options.items()}
    env["PATH"] = f"{python.parent}{os.pathsep}{env['PATH']}"
    found = Cluster(etl, python, folder, env, pods, api)
    try:
        yield found
    finally:
        found.stop()
        pods.close()
        api.shutdown()
        api.server_close()


def configuration() -> dict[str, str]:
    """`config` of the values, as variables."""
    return {
        f"AIRFLOW__{section.upper()}__{option.upper()}": str(value)
        for section, body in VALUES["config"].items()
        for option, value in body.items()
    }


def secrets_of(env: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The Secrets of docs/guides/kubernetes.md, with the stack's values."""
    return {
        VALUES["data"]["metadataSecretName"]: {"connection": env["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]},
        VALUES["fernetKeySecretName"]: {
            "fernet-key": env["AIRFLOW__CORE__FERNET_KEY"],
            "jwt-secret": env["AIRFLOW__API_AUTH__JWT_SECRET"],
            "api-secret-key": env["AIRFLOW__API__SECRET_KEY"],
        },
        "sportmonks-connections": {
            "api": env["AIRFLOW_CONN_SPORTMONKS_API"],
            "warehouse": env["AIRFLOW_CONN_SPORTMONKS_WAREHOUSE"],
        },
    }


def pod_template(settings: Mapping[str, str]) -> dict[str, Any]:
    """What the chart makes of the values for the pods of tasks; ``settings``: further variables."""
    references = {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": (VALUES["data"]["metadataSecretName"], "connection"),
        "AIRFLOW__CORE__FERNET_KEY": (VALUES["fernetKeySecretName"], "fernet-key"),
        "AIRFLOW__API_AUTH__JWT_SECRET": (VALUES["jwtSecretName"], "jwt-secret"),
        "AIRFLOW__API__SECRET_KEY": (VALUES["apiSecretKeySecretName"], "api-secret-key"),
        **{entry["envName"]: (entry["secretName"], entry["secretKey"]) for entry in VALUES["secret"]},
    }
    variables = [
        *({"name": name, "value": value} for name, value in settings.items()),
        {"name": "AIRFLOW__CORE__EXECUTOR", "value": "LocalExecutor"},
        *VALUES["env"],
        *(
            {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}
            for name, (secret, key) in references.items()
        ),
    ]
    container = {"name": "base", "image": "set by the executor", "env": variables}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "placeholder-name"},
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": VALUES["workers"]["terminationGracePeriodSeconds"],
            "containers": [container | {"resources": VALUES["workers"]["resources"]}],
        },
    }


def kubeconfig(url: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "pods",
        "contexts": [{"name": "pods", "context": {"cluster": "pods", "user": "scheduler"}}],
        "clusters": [{"name": "pods", "cluster": {"server": url}}],
        "users": [{"name": "scheduler", "user": {"token": "any"}}],
    }
