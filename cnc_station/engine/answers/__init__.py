"""The answer to each command and query, by type."""

from collections.abc import Callable, Mapping
from typing import Any

from cnc_station.engine import commands as c
from cnc_station.engine import queries as q
from cnc_station.engine.answers import (
    accounts,
    alerts,
    backups,
    fleet,
    job_actions,
    jobs,
    limits,
    machines,
    metrics,
    once,
    programs,
    schedules,
    set_ups,
    station,
    tenants,
    tokens,
    webhooks,
)
from cnc_station.engine.answers.context import AnswerContext
from cnc_station.engine.domain import permissions
from cnc_station.engine.domain.principal import Principal

# These need the principal itself, not only its name.
WITH_PRINCIPAL: Mapping[type, Callable[[AnswerContext, Principal, Any], Any]] = {
    c.SignOn: accounts.sign_on,
    c.SignOff: accounts.sign_off,
    c.ChangeOwnSecret: accounts.change_own_secret,
    q.WhoIsHere: accounts.who_is_here,
    q.LimitsNow: limits.limits_now,
    **tokens.WITH_PRINCIPAL,
}

COMMANDS: Mapping[type, Callable[[AnswerContext, Any, str], Any]] = {
    c.SubmitJobs: jobs.submit_jobs,
    c.EditJob: jobs.edit_job,
    c.DuplicateJob: jobs.duplicate_job,
    c.ActOnJobs: job_actions.act_on_jobs,
    c.ActOnMatchingJobs: job_actions.act_on_matching_jobs,
    c.UndoJobActions: job_actions.undo_job_actions,
    c.AddMachine: machines.add_machine,
    c.EditMachine: machines.edit_machine,
    c.ActOnMachine: machines.act_on_machine,
    c.MoveMachine: machines.move_machine,
    c.TryMachine: machines.try_machine,
    c.AddProgram: programs.add_program,
    c.ImportJobs: programs.import_jobs,
    c.AttachFile: set_ups.attach_file,
    c.RemoveAttachment: set_ups.remove_attachment,
    c.EditSetUpSheet: set_ups.edit_set_up_sheet,
    c.CheckFirstPart: set_ups.check_first_part,
    c.CreateWebhook: webhooks.create_webhook,
    c.EditWebhook: webhooks.edit_webhook,
    c.DeleteWebhook: webhooks.delete_webhook,
    c.RotateWebhookSecret: webhooks.rotate_webhook_secret,
    c.TestWebhook: webhooks.send_test,
    c.ReplayDeliveries: webhooks.replay_deliveries,
    c.ReplayMatchingDeliveries: webhooks.replay_matching_deliveries,
    c.SaveSettings: station.save_settings,
    c.AcceptDatabase: station.accept_database,
    c.TryDatabase: station.try_database,
    c.BackUpNow: backups.back_up_now,
    c.SetBackupPlan: backups.set_backup_plan,
    c.TryFleet: fleet.try_fleet,
    c.JoinFleet: fleet.join_fleet,
    c.CreateSchedule: schedules.create_schedule,
    c.EditSchedule: schedules.edit_schedule,
    c.PauseSchedule: schedules.pause_schedule,
    c.ResumeSchedule: schedules.resume_schedule,
    c.TriggerSchedule: schedules.trigger_schedule,
    c.ActOnSchedules: schedules.act_on_schedules,
    c.DeleteSchedule: schedules.delete_schedule,
    c.AcknowledgeAlerts: alerts.acknowledge_alerts,
    c.CreateAlertRule: alerts.create_alert_rule,
    c.EditAlertRule: alerts.edit_alert_rule,
    c.DeleteAlertRule: alerts.delete_alert_rule,
    c.TestAlertRule: alerts.send_test,
    c.TurnOnAccounts: accounts.turn_on,
    c.TurnOffAccounts: accounts.turn_off,
    c.CreateAccount: accounts.create_account,
    c.EditAccount: accounts.edit_account,
    c.RemoveAccount: accounts.remove_account,
    c.SetSecret: accounts.set_secret,
    c.ResetPassword: accounts.reset_password,
    c.CreateTenant: tokens.create_tenant,
    c.EditTenant: tokens.edit_tenant,
    c.IssueToken: tokens.issue_token,
    c.RevokeToken: tokens.revoke_token,
    c.RotateTokenKey: tokens.rotate_token_key,
}

# Those for live queries answer at once, the others are coroutines.
QUERIES: Mapping[type, Callable[[AnswerContext, Any], Any]] = {
    q.ListJobs: jobs.list_jobs,
    q.JobsById: jobs.jobs_by_id,
    q.CountJobs: jobs.count_jobs,
    q.JobById: jobs.job_by_id,
    q.ExportJobs: jobs.export_jobs,
    q.ExportJobsAfter: jobs.export_jobs_after,
    q.ListJobsAfter: jobs.list_jobs_after,
    q.ListEvents: jobs.list_events,
    q.EventsSince: jobs.events_since,
    q.ListRuns: jobs.list_runs,
    q.CountRuns: jobs.count_runs,
    q.RunById: jobs.run_by_id,
    q.ListMachines: machines.list_machines,
    q.ListDrivers: machines.list_drivers,
    q.FindControllers: machines.find_controllers,
    q.ControllerStatus: machines.controller_status,
    q.MachineLog: machines.machine_log,
    q.LatestTelemetry: machines.latest_telemetry,
    q.ListActiveRuns: machines.list_active_runs,
    q.ListPrograms: programs.list_programs,
    q.ProgramByHash: programs.program_by_hash,
    q.ProgramContent: programs.program_content,
    q.ToolpathByHash: programs.toolpath_by_hash,
    q.ListAttachments: set_ups.list_attachments,
    q.AttachmentContent: set_ups.attachment_content,
    q.SetUpSheetOf: set_ups.set_up_sheet_of,
    q.PreviewImport: programs.preview_import,
    q.ReadingProgress: programs.reading_progress,
    q.FloorNow: station.floor_now,
    q.FloorCharts: station.floor_charts,
    q.ListStations: station.list_stations,
    q.ListWebhooks: webhooks.list_webhooks,
    q.ListDeliveries: webhooks.list_deliveries,
    q.CountDeliveries: webhooks.count_deliveries,
    q.DeliveryById: webhooks.delivery_by_id,
    q.VerifyWebhook: webhooks.verify_webhook,
    q.StoredSettings: station.stored_settings,
    q.AboutStation: station.about_station,
    q.ListLinks: station.list_links,
    q.BackupsNow: backups.backups_now,
    q.ListSchedules: schedules.list_schedules,
    q.ScheduleById: schedules.schedule_by_id,
    q.ScheduleRuns: schedules.schedule_runs,
    q.PreviewSchedule: schedules.preview_schedule,
    q.UpcomingRuns: schedules.upcoming_runs,
    q.ListOpenAlerts: alerts.list_open_alerts,
    q.ListAlerts: alerts.list_alerts,
    q.AlertHistory: alerts.alert_history,
    q.NewAlertMessages: alerts.new_alert_messages,
    q.ListAlertRules: alerts.list_alert_rules,
    q.MetricsNow: metrics.metrics_now,
    q.ExecutionsBy: metrics.executions_by,
    q.ScrapeMetrics: metrics.scrape,
    q.WhoMaySignOn: accounts.who_may_sign_on,
    q.AuditTrail: accounts.audit_trail,
    q.ListAccounts: accounts.list_accounts,
    q.AccountById: accounts.account_by_id,
    q.UsesAccounts: tokens.uses_accounts,
    q.ListTenants: tokens.list_tenants,
    q.ListTokens: tokens.list_tokens,
}


def answer(context: AnswerContext, principal: Principal, asked: object) -> Any:
    """Return the answer to a live query, or an awaitable for all others. Raises NotPermitted,
    NotSignedOn for an account that is gone."""
    kind = type(asked)
    principal = context.accounts.current(principal)
    permissions.check(principal, asked)
    if (with_principal := WITH_PRINCIPAL.get(kind)) is not None:
        return with_principal(context, principal, asked)
    limited = principal.tenants is not None
    if principal.tenants is not None:
        context = context.limited(principal.tenants)
    if (with_key := once.WITH_KEY.get(kind)) is not None:
        return with_key(context, principal, asked, _execute)
    if (look := QUERIES.get(kind)) is not None:
        return tenants.UNTOLD[kind] if limited and kind in tenants.UNTOLD else look(context, asked)
    return _execute(context, principal, asked)


def _execute(context: AnswerContext, principal: Principal, command: Any) -> Any:
    carry = COMMANDS[type(command)]
    if principal.tenants is not None:
        return tenants.execute(context, command, principal.actor, carry)
    return carry(context, command, principal.actor)
