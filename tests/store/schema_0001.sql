-- A shop as the first schema kept it: one row a table, each with a value for every column that matters.
INSERT INTO program (sha256, name, revision, size, lines, duration_s, findings, added_at, added_by, content)
VALUES ('ab', 'o1.nc', 1, 2, 1, 2.5, '[]', 7, 'anna', 'G0');
INSERT INTO job (id, version, trace_id, name, work_order, operation, tenant, machine_type, complexity, material,
  axes, priority, quantity, estimated_s, program, handler, state, state_since, rank, blocked, machine_id, run_id,
  token, attempt, failures, last_error, created_at, search, payload)
VALUES (4, 3, 't', 'Bracket', '', '', '', 'mill', 1, 'steel',
  3, 0, 2, 60, 'ab', 'machine.program', 'interrupted', 8, 9.5, FALSE, 2, 6,
  5, 1, 1, 'its station is gone', 1, 'bracket', '{}');
INSERT INTO machine (id, version, name, machine_type, model, driver, max_complexity, materials, axes,
  operator_clears, settings, station, state, state_since, state_reason, maintenance_due, removed, runs_done,
  run_seconds, last_program, last_material)
VALUES (2, 5, 'Mill 1', 'mill', 'VF-2', 'simulator', 5, '[]', 3,
  TRUE, '{}', 'A', 'needs_clearing', 8, '', FALSE, FALSE, 11,
  12.5, 'ab', 'steel');
INSERT INTO run (id, job_id, machine_id, station, attempt, state, token, lease_until, assigned_at, started_at, ended_at, error)
VALUES (6, 4, 2, 'A', 1, 'interrupted', 5, 1, 2, 3, 4, 'its station is gone');
INSERT INTO event (id, at, type, job_id, actor, station, trace_id, reason)
VALUES (1, 8, 'created', 4, 'anna', 'A', 't', '');
INSERT INTO errand (id, station, action, job_id, actor, reason, asked_at)
VALUES (3, 'A', 'hold', 4, 'ben', 'chips', 9);
