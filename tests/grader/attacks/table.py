"""Every attack, what becomes of the test it sits in, and which layers of the sandbox stop it.

A layer alone must do: ``"uid landlock"`` says that either is enough. Where a layer is off, or this kernel's version of
it is too old, the attacks that nothing else stops must succeed; so every attack is proven to be one, and every layer to
matter.

================  =====================================================================================================
``limits``        resource limits, rights that root gives up, closed descriptors, a grader that cannot be traced
``capabilities``  where the grader is root: who has given up rights cannot trace or slow down who has them
``no root``       the limit on processes, which does not bind root; on wherever the worker is not root
``uid``           a user of the worker's own
``landlock``      reading a few folders; from its version 4 on TCP as well (``landlock 4``), 6 signals (``landlock 6``)
``seccomp``       the list of system calls
================  =====================================================================================================
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Attack:
    """One hostile submission.

    Attributes
    ----------
    name : str
        Also of the deed, in ``deeds/<module>.py``.
    outcome : frozenset of str
        What the test may end in.
    says : str
        What the message holds.
    stopped_by : frozenset of str or None
        The layers that stop it, each alone. None if there is nothing to stop: it harms nobody but itself.
    function : str
        The function it replaces.
    calls : int
        How often that is called in one test.
    instead : bool
        Its deed decides what the function returns; otherwise the deed comes first, and then the right answer.
    at_import : bool
        It acts when the file is imported.
    files : dict of str to str
        More files that are handed in.
    """

    name: str
    module: str
    outcome: frozenset[str] = frozenset({"passed"})
    says: str = ""
    stopped_by: frozenset[str] | None = None
    function: str = "im2col"
    calls: int = 1
    instead: bool = False
    at_import: bool = False
    files: dict[str, str] = field(default_factory=dict)


THE_END = "the end"
"""Not an attack: what is left when the sandboxes are closed."""


@dataclass
class Result:
    """How an attack went: the outcome of its test, what a student reads, and every harm that was seen."""

    name: str
    outcome: str = ""
    message: str = ""
    harm: list[str] = field(default_factory=list)
    skipped: str = ""


def _denied(module: str, **stopped_by: str) -> Iterator[Attack]:
    """Attacks that are denied, and then give the right answer; ``_`` stands for a blank."""
    for name, layers in stopped_by.items():
        alternatives = frozenset(layer.replace("_", " ") for layer in layers.split())
        yield Attack(name, module, stopped_by=alternatives, calls=1 + (name in TWICE))


def _ends(module: str, at_import: bool = False, **endings: tuple[str, str]) -> Iterator[Attack]:
    """Attacks that end the test in some way: name=(outcome, what is said); `|` stands between alternatives."""
    for name, (outcome, says) in endings.items():
        yield Attack(
            name,
            module,
            frozenset(outcome.split("|")),
            says,
            function=FUNCTIONS.get(name, "im2col"),
            calls=1 + (name in TWICE),
            instead=not at_import,
            at_import=at_import,
        )


TWICE = (
    "sigio_parent",
    "forge_more_bytes",
    "reply_before_request",
    "reply_then_sleep",
    "reply_then_die",
    "shut_down_socket",
    "late_alarm",
    "trace_the_worker",
    "atexit_threads",
    "memory_bomb_then_recover",
)
"""What these do shows in the next call of the same test."""
FUNCTIONS = {"forge_handle_text": "conv2d_forward", "forge_array_for_handle": "conv2d_forward"}
NEEDS = {
    "label_grader_files": "extended attributes",
    "pin_bystander": "two processors",
    "pin_parent": "two processors",
    "pin_itself": "two processors",
    "tty_tiocsti": "TIOCSTI",
    "io_uring": "io_uring",
    "new_namespace": "user namespaces",
    "kill_minus_one": "a user with no other processes",
    "regain_capabilities": "root",
    "read_slots": "root's slots",
    "leave_state_in_shm": "/dev/shm",
    "code_in_own_file": "x86-64",
    "code_by_pkey_mprotect": "x86-64",
    "code_by_personality": "x86-64",
    "code_over_a_callback": "callbacks in memory that can be written",
}
"""What has to be there for an attack to succeed, even if nothing stops it. ``arena.offers`` knows whether it is."""

NO_REPLY = "something that is not a reply"
UNDESCRIBED = "does not describe its results"
ATTACKS: tuple[Attack, ...] = (
    *_denied(
        "files",
        write_results_json="uid landlock seccomp",
        replace_results_json="uid landlock seccomp",
        unlink_grader_files="uid landlock seccomp",
        chmod_grader_files="uid seccomp",
        touch_grader_files="uid seccomp",
        label_grader_files="uid seccomp",
        lock_grader_files="uid landlock seccomp",
        link_grader_files="uid landlock seccomp",
        poison_site_packages="uid landlock seccomp",
        plant_pycache="uid landlock seccomp",
        rewrite_own_file="uid landlock seccomp",
        tamper_with_neighbour="uid landlock seccomp",
        leave_state_file="landlock seccomp",
        leave_state_directory="landlock seccomp",
        leave_state_fifo="landlock seccomp",
        leave_state_in_shm="landlock seccomp",
        leave_shared_memory="seccomp",
        disk_bomb="limits landlock seccomp",
    ),
    *_denied(
        "reading",
        read_hidden_tests="uid landlock",
        read_reference="landlock",
        import_solution="landlock",
        forbidden_import_torch_scipy="landlock",
        list_folder="landlock",
        read_neighbour_submission="uid landlock",
        read_model_answer="uid landlock",
        read_slots="uid landlock",
        watch_folder="seccomp",
        proc_scan_other_cmdlines="landlock",
        read_environ_token="limits uid landlock",
        parent_memory_read="limits uid landlock",
        parent_process_vm_readv="limits uid landlock seccomp",
        victim_memory_read="capabilities uid landlock",
        victim_process_vm_readv="capabilities uid landlock seccomp",
        victim_ptrace="capabilities uid landlock seccomp",
        steal_control_socket="limits uid landlock seccomp",
        read_grader_cpu_clock="seccomp",
        wait_for_grader_cpu_clock="seccomp",
        read_open_descriptors="limits",
    ),
    *_denied(
        "processes",
        kill_parent="uid landlock_6 seccomp",
        signal_parent="uid landlock_6 seccomp",
        signal_parent_by_pidfd="uid landlock_6 seccomp",
        queue_signal_to_parent="uid landlock_6 seccomp",
        sigio_parent="uid landlock_6 seccomp",
        kill_minus_one="uid landlock_6 seccomp",
        kill_neighbour="uid landlock_6 seccomp",
        kill_reference_worker="uid landlock_6 seccomp",
        prlimit_bystander="uid seccomp",
        pin_bystander="capabilities uid seccomp",
        pin_parent="capabilities uid seccomp",
        renice_bystander="capabilities uid seccomp",
        write_bystander_memory="capabilities uid landlock seccomp",
        write_bystander_memory_file="capabilities uid landlock seccomp",
        write_parent_memory="limits uid landlock seccomp",
        fork_bomb="no_root seccomp",
        spawn_process="no_root landlock seccomp",
        daemon_left_behind="no_root seccomp",
        exec_shell="landlock seccomp",
        start_threads="no_root seccomp",
        raise_rlimits_back="limits seccomp",
        regain_capabilities="limits seccomp",
        new_namespace="seccomp",
        survive_memory_shortage="limits landlock seccomp",
        pin_itself="seccomp",
    ),
    *_denied(
        "machine_code",
        code_in_new_memory="seccomp",
        code_in_shared_memory="seccomp",
        code_by_mprotect="seccomp",
        code_by_pkey_mprotect="seccomp",
        code_by_personality="seccomp",
        code_in_memory_file="limits seccomp",
        code_over_a_library="seccomp",
    ),
    Attack(
        "code_over_a_callback",
        "machine_code",
        outcome=frozenset({"passed", "crashed"}),  # newer libffi makes callbacks, but in memory that cannot be written
        stopped_by=frozenset({"seccomp"}),
    ),
    Attack(
        "code_in_own_file",
        "machine_code",
        stopped_by=frozenset({"seccomp"}),
        files={"j.py": "j*X\u00c0\n"},  # Python, and in UTF-8 also: push 42; pop rax; ret
    ),
    *_denied(
        "network",
        network_tcp="landlock_4 seccomp",
        network_udp="seccomp",
        unix_socket_in_folder="seccomp",
        unix_socket_abstract="landlock_6 seccomp",
        listen="landlock_4 seccomp",
        io_uring="seccomp",
        tty_tiocsti="uid landlock seccomp",
        write_to_terminal="uid landlock seccomp",
    ),
    *_ends(
        "endings",
        os_exit_0=("crashed", "exit status 0"),
        evil_exception_str=("crashed", "exit status 0"),
        segfault=("crashed", "segmentation fault"),
        abort=("crashed", "abort"),
        terminate_itself=("crashed", "SIGTERM"),
        strange_signal=("crashed", "signal 40"),
        kill_itself=("out of memory", ""),
        fake_cpu_limit=("timed out", "processor time"),
        deep_recursion=("crashed|raised|out of memory", ""),
        sys_exit=("raised", "SystemExit: goodbye"),
        keyboard_interrupt=("raised", "KeyboardInterrupt"),
        ansi_html_surrogate_message=("raised", "ValueError: [31mred[0m ‹script›alert(1)‹/script›"),
        long_type_name=("raised|crashed", ""),
        infinite_loop_ignore_signals=("timed out", "did not return within"),
        sigstop_self=("timed out", "did not return within"),
        memory_bomb=("out of memory", "the limit is 512 MiB"),
        memory_bomb_at_once=("out of memory", "the limit is 512 MiB"),
        memory_bomb_then_recover=("passed", ""),
        thread_bomb=("raised", "can't start new thread"),
    ),
    *_ends(
        "endings",
        at_import=True,
        exit_at_import=("crashed", "importing layers.py ended the Python process with exit status 0"),
        loop_at_import=("timed out", "importing layers.py did not return within"),
        hoard_at_import=("out of memory", "ran out of memory"),
    ),
    *_ends(
        "protocol",
        forge_magic=("malformed reply", NO_REPLY),
        forge_huge_length=("malformed reply", NO_REPLY),
        forge_deep_json=("malformed reply", NO_REPLY),
        forge_big_int_json=("malformed reply", NO_REPLY),
        forge_nan_json=("malformed reply", NO_REPLY),
        forge_bytes=("malformed reply", NO_REPLY),
        forge_no_body=("malformed reply", NO_REPLY),
        forge_huge_array=("malformed reply", NO_REPLY),
        forge_overflowing_shape=("malformed reply", NO_REPLY),
        forge_empty_axis=("malformed reply", NO_REPLY),
        forge_object_dtype=("malformed reply", NO_REPLY),
        forge_structured_dtype=("malformed reply", NO_REPLY),
        forge_negative_dim=("malformed reply", NO_REPLY),
        forge_bool_dim=("malformed reply", NO_REPLY),
        forge_nine_axes=("malformed reply", NO_REPLY),
        forge_many_arrays=("malformed reply", NO_REPLY),
        forge_nonce=("malformed reply", NO_REPLY),
        forge_no_results=("malformed reply", UNDESCRIBED),
        forge_array_out_of_range=("malformed reply", UNDESCRIBED),
        forge_array_index=("malformed reply", UNDESCRIBED),
        forge_results_nested=("malformed reply", UNDESCRIBED),
        forge_results_count=("malformed reply", UNDESCRIBED),
        forge_results_text=("malformed reply", UNDESCRIBED),
        forge_handle_for_array=("malformed reply", UNDESCRIBED),
        forge_handle_text=("malformed reply", UNDESCRIBED),
        forge_array_for_handle=("malformed reply", UNDESCRIBED),
        forge_integer_for_array=("wrong", ""),
        raise_in_foreign_file=("raised", "raised ValueError: look"),
        raise_in_absolute_file=("raised", "raised ValueError: look"),
        raise_in_strange_line=("raised", "raised ValueError: look"),
        raise_escape_codes=("raised", "‹script›"),
        raise_long_message=("malformed reply", NO_REPLY),
        raise_no_facts=("raised", "raised an exception"),
        raise_nested_type=("raised", "raised [[["),
        raise_nameless=("raised", "raised an exception"),
        return_nameless_kind=("wrong", "returned something without a name"),
        return_nested_kind=("wrong", "returned [[["),
        claim_out_of_memory=("out of memory", ""),
        exit_out_of_memory=("out of memory", ""),
        forge_slow_drip=("timed out", "did not return within"),
        forge_missing_bytes=("timed out", "did not return within"),
        die_inside_answer=("crashed", "exit status 0"),
        forge_more_bytes=("malformed reply", NO_REPLY),
        reply_before_request=("malformed reply", NO_REPLY),
        reply_then_sleep=("timed out", "did not return within"),
        reply_then_die=("crashed", "exit status 0"),
        flood=("malformed reply", NO_REPLY),
        huge_result=("wrong", "far more than it should"),
        close_socket=("crashed", "closed its connection"),
        dup_over_socket=("crashed|raised", ""),
        shut_down_socket=("crashed|raised", ""),
        smuggle_descriptors=("passed|raised", ""),
    ),
    *_ends(
        "protocol",
        at_import=True,
        forge_defined=("timed out", "did not return within"),
        forge_defined_number=("malformed reply", "does not list its functions"),
        forge_import_error=("raised", "ImportError: look"),
    ),
    *_ends(
        "answers",
        nan_result=("wrong", "NaN"),
        one_number=("wrong", "shape"),
        nothing_at_all=("wrong", "shape"),
        ndarray_subclass_lies=("wrong", "differs"),
        monkeypatch_numpy_time=("wrong", "differs"),
        forge_score_marker=("wrong", "differs"),
        a_list=("wrong", "a list of"),
        stdout_bomb=("passed", ""),
        atexit_threads=("passed", ""),
        late_alarm=("passed", ""),
        trace_the_worker=("passed", ""),
    ),
    Attack("frame_gc_introspection", "reading"),
    Attack("become_root", "processes"),
    Attack(
        "shadow_modules",
        "answers",
        files=dict.fromkeys(
            ("numpy.py", "json.py", "os.py", "wire.py", "lockdown.py", "struct.py"), "raise SystemExit"
        ),
    ),
)
