"""When the bells ring. Each is safe to ring twice, late or never: the rows decide what is due."""

SCHEDULE = {
    "sweep": {"task": "workers.sweep", "schedule": 10.0, "options": {"queue": "io", "expires": 10}},
    "tick": {"task": "workers.tick", "schedule": 15.0, "options": {"queue": "io", "expires": 15}},
}
