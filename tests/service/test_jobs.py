from __future__ import annotations

from digestbot.service.jobs import MOST_ASKERS, Job

JOB = Job("image", "image:a", {"image": "a:1"})


def test_who_asks_makes_no_other_job_of_it() -> None:
    assert JOB.asked_by("ann (scan now)") == JOB


def test_each_who_asks_is_told_once_in_their_order() -> None:
    job = JOB.asked_by("webhook b").asked_by("ann (scan now)", "webhook b")

    assert job.by == ("webhook b", "ann (scan now)")
    assert JOB.by == ()


def test_no_more_are_told_than_a_person_reads() -> None:
    job = JOB.asked_by(*(f"webhook {number}" for number in range(1000)))

    assert len(job.by) == MOST_ASKERS
