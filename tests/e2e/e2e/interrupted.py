"""The installer killed with -9 while a task of a given phase is under way."""

import queue
import subprocess
import threading
import time
import zlib

from . import lab
from .product import parse_event

# The installer takes the place of the shell, whose process id is $$. A child of that shell sends it the signals whose names come
# in, at once and without another login, and then says so in the stream of events. The names come through a pipe that ends with
# the installer: with `read -t` a name that has come half when the time is over would be lost. The pause is for a thread of the
# installer that still runs on another processor.
UNDER_CONTROL = """exec 3<&0
{ cat <&3 & cat=$!; while kill -0 $$; do sleep 1; done; kill $cat; } 2>/dev/null |
  while read -r name; do kill -$name $$; sleep 0.1; echo "sent $name"; done 2>/dev/null &
%s </dev/null 3<&-"""
PATIENCE_SECONDS = 900

# What a phase is about, where that takes long: it is killed in the middle of that.
LONG_STEPS = {"init": "/kubeadm", "join": "/kubeadm"}
AT_ONCE = {"mirror"}  # one task, that may take less than a second


def delay(phase):
    """Seconds from the beginning of the phase, or of its long step, to the kill: drawn by the phase's name, the same in every run."""
    drawn = zlib.crc32(phase.encode()) % 1000 / 1000
    return 0 if phase in AT_ONCE else 1 + 4 * drawn if phase in LONG_STEPS else 0.1 + 0.6 * drawn


def busy_phases(plan):
    """The phases in which an installation does something, in their order."""
    return [phase for phase in plan["phases"] if work_of(plan, phase)]


def work_of(plan, phase):
    """The steps and tasks by which one knows that the phase is over."""
    return ({change["step"] for change in plan["changes"] if change["phase"] == phase} |
            {task for task in plan["known_later"] if task.split("/")[0] == phase})


class Installation:
    """An installation as a process beside the test, and what its events have told so far; use as a context manager."""

    def __init__(self, product, name):
        self.command = UNDER_CONTROL % product.command("install", "-y", "--json")
        self.log_file = product.work + "/" + name + ".log"
        self.running = {}  # task -> phase
        self.begun = set()  # steps
        self.finished = set()  # steps and tasks
        self.sent = None  # the last signal

    def __enter__(self):
        self.log = open(self.log_file, "w+")
        self.process = subprocess.Popen([lab.HERE + "/lab/hosts", "exec", "deploy", self.command], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        return self

    def __exit__(self, *_):
        """Leaves nothing running, however the test went."""
        try:
            self.process.stdin.write("KILL\n")
            self.process.stdin.close()
            self.process.wait(timeout=30)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        self.log.close()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def _take(self, line):
        if line is None:
            self.log.seek(0)
            raise AssertionError("the installer ended by itself: " + self.log.read()[-1500:])
        self.log.write(line)
        if line.startswith("sent "):
            self.sent = line.split()[1]
        event = parse_event(line) or {}
        kind = event.get("event")
        if kind == "task-started":
            self.running[event["task"]] = event["phase"]
        elif kind == "task-finished":
            self.running.pop(event["task"], None)
            self.finished.add(event["task"])
        elif kind == "step-started":
            self.begun.add(event["step"])
        elif kind == "step-finished":
            self.finished.add(event["step"])

    def wait_for(self, condition, seconds=PATIENCE_SECONDS):
        """Takes events in until the condition holds; gives False when the time is over first."""
        end = time.monotonic() + seconds
        while not condition():
            try:
                line = self.lines.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                return False
            self._take(line)
        return True

    def signal(self, name):
        """When this returns, everything that the installer has said before the signal was taken in."""
        self.process.stdin.write(name + "\n")
        self.process.stdin.flush()
        assert self.wait_for(lambda: self.sent == name, 60), "the installer could not be sent SIG" + name

    def under_way(self, phase):
        return sorted(task for task, its_phase in self.running.items() if its_phase == phase)

    def is_in(self, phase):
        """Has the phase begun, or its long step?"""
        if phase in LONG_STEPS:
            return any(step.startswith(phase + "/") and step.endswith(LONG_STEPS[phase]) for step in self.begun)
        return bool(self.under_way(phase))


def killed_in(product, phase, plan):
    """The check: an installation, killed while a task of the phase was under way. Stopped first, so that it can be looked at: when
    the signal came between two tasks, the installation goes on to the next. plan: what `plan --json` said of fresh hosts."""
    with Installation(product, "install-killed-in-" + phase) as installation:
        def is_over(which):
            return work_of(plan, which) <= installation.finished

        assert installation.wait_for(lambda: installation.is_in(phase)), "phase %s did not begin" % phase
        began = time.monotonic()
        installation.wait_for(lambda: False, delay(phase))
        while True:
            assert installation.wait_for(lambda: installation.under_way(phase) or is_over(phase)), "nothing happens in phase " + phase
            assert installation.under_way(phase), "phase %s was over before it could be killed" % phase
            installation.signal("STOP")
            if installation.under_way(phase):
                break
            installation.signal("CONT")
        seconds = time.monotonic() - began
        installation.signal("KILL")
        killed = installation.under_way(phase)
        assert killed, "no task of phase %s was under way when the kill came" % phase
        phases = busy_phases(plan)
        late = [later for later in phases[phases.index(phase) + 1:] if is_over(later)]
        assert not late, "phase %s was already over" % ", ".join(late)
        return "after %.2f s, in the middle of %s" % (seconds, ", ".join(killed))
