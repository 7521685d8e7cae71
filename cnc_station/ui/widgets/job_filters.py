"""The chips above the job table: which jobs are shown, and how many each group has."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QMenu, QSizePolicy, QWidget

from cnc_station.engine.views import JobCounts, JobFilter
from cnc_station.ui.models import job_groups
from cnc_station.ui.models.job_groups import GROUPS, MORE_GROUPS, PRIORITIES, Group, priority_words
from cnc_station.ui.theme import theme
from cnc_station.ui.widgets.filter_chip import FilterChip, MenuChip
from cnc_station.ui.widgets.layout import STRETCH, hbox
from cnc_station.ui.widgets.literal import caption, set_tip


class JobFilterBar(QWidget):
    """Shows a filter as chips; `chosen(JobFilter)` when the user changes it. Chips without room go
    into `menu`, to which the page adds its own entries on `menu_opens`."""

    chosen = Signal(object)
    menu_opens = Signal(QMenu)

    def __init__(self) -> None:
        super().__init__()
        self._filter = JobFilter()
        self._tenants: tuple[str, ...] = ()
        self._types: tuple[str, ...] = ()
        self._machines: Mapping[int, str] = {}
        self.groups: dict[str, FilterChip] = {}
        for group in GROUPS:
            chip = FilterChip(group.words, tone=group.tone)
            chip.clicked.connect(partial(self._choose_group, group))
            self.groups[group.key] = chip
        self.types = MenuChip(self.tr("Type"))
        self.machines = MenuChip(self.tr("Machine"))
        self.priority = MenuChip(self.tr("Priority"))
        self.tenants = MenuChip(self.tr("Customer"))
        self.rest = FilterChip("")
        self.rest.clicked.connect(self._clear_rest)
        self.more = FilterChip("⋯")
        self.more.setCheckable(False)
        self.more.setAccessibleName(self.tr("More filters, columns and export"))
        set_tip(self.more, self.more.accessibleName())
        self.more.clicked.connect(self._open_menu)
        self.menu = QMenu(self)
        hbox(*self._chips(), self.more, STRETCH, on=self, gap=theme().metrics.gap)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        theme().changed.connect(self._theme_changed)

    def _chips(self) -> Sequence[FilterChip]:
        fixed = [chip for key, chip in self.groups.items() if key != "completed"]
        menus = (self.types, self.machines, self.priority, self.tenants)
        return (*fixed, self.rest, *menus, self.groups["completed"])

    def show_filter(self, chosen: JobFilter, now: int) -> None:
        self._filter = chosen
        group = job_groups.group_of(chosen)
        for key, chip in self.groups.items():
            chip.setChecked(group is not None and group.key == key)
        words = job_groups.rest(chosen, now)
        if group is not None and group in MORE_GROUPS:
            words = " · ".join(part for part in (group.words, words) if part)
        self.rest.setText(f"{words}  ✕")
        self.rest.setAccessibleName(self.tr("{what}: remove").format(what=words))
        self.rest.setChecked(bool(words))
        self.rest.setProperty("wanted", bool(words))
        self.types.show_value(", ".join(sorted(chosen.machine_types)))
        named = "" if chosen.machine_id is None else self._machines.get(chosen.machine_id, "…")
        self.machines.show_value(named)
        limits = (chosen.min_priority, chosen.max_priority)
        self.priority.show_value(priority_words(*limits))
        self.tenants.show_value(chosen.tenant or "")
        self._offer()
        self._fit()

    def show_counts(self, counts: JobCounts) -> None:
        for group in GROUPS:
            self.groups[group.key].set_count(group.count(counts))
        self._fit()

    def set_values(
        self, types: Sequence[str], machines: Mapping[int, str], tenants: Sequence[str]
    ) -> None:
        values = (tuple(types), dict(machines), tuple(tenants))
        if values != (self._types, self._machines, self._tenants):
            self._types, self._machines, self._tenants = values
            self._offer()
            self._fit()

    def _offer(self) -> None:
        one_type = next(iter(self._filter.machine_types), None)
        self.types.offer(
            [(t, t) for t in self._types],
            one_type,
            lambda name: self._choose(machine_types=frozenset({name} if name else ())),
        )
        self.machines.offer(
            [(name, number) for number, name in self._machines.items()],
            self._filter.machine_id,
            lambda number: self._choose(machine_id=number),
        )
        limits = (self._filter.min_priority, self._filter.max_priority)
        self.priority.offer(
            [(priority_words(low, high), (low, high)) for _, low, high in PRIORITIES],
            None if limits == (None, None) else limits,
            self._choose_priority,
        )
        self.tenants.offer(
            [(t, t) for t in self._tenants],
            self._filter.tenant,
            lambda name: self._choose(tenant=name),
        )

    def _choose(self, **fields: Any) -> None:
        self.chosen.emit(replace(self._filter, **fields))

    def _choose_group(self, group: Group) -> None:
        self._choose(states=group.states, late=group.late)

    def _choose_priority(self, limits: tuple[int | None, int | None] | None) -> None:
        low, high = limits or (None, None)
        self._choose(min_priority=low, max_priority=high)

    def _clear_rest(self) -> None:
        chosen = job_groups.without_rest(self._filter)
        if job_groups.group_of(chosen) in MORE_GROUPS:
            chosen = replace(chosen, states=job_groups.ALL_OPEN.states)
        self.chosen.emit(chosen)

    def _open_menu(self) -> None:
        self.menu.clear()
        for group in (*GROUPS, *MORE_GROUPS):
            chip = self.groups.get(group.key)
            if chip is None or chip.isHidden():
                self.menu.addAction(caption(group.words), partial(self._choose_group, group))
        self.menu.addSeparator()
        for menu_chip in (self.types, self.machines, self.priority, self.tenants):
            if menu_chip.isHidden() and menu_chip.offers:
                self.menu.addMenu(menu_chip.menu)
        self.menu.addSeparator()
        self.menu_opens.emit(self.menu)
        self.menu.popup(self.more.mapToGlobal(self.more.rect().bottomLeft()))

    def _fit(self) -> None:
        gap = theme().metrics.gap
        room = self.width() - self.more.sizeHint().width()
        for chip in self._chips():
            if chip is self.rest:
                wanted = bool(chip.property("wanted"))
            else:
                wanted = not isinstance(chip, MenuChip) or chip.offers
            width = chip.sizeHint().width() + gap
            fits = wanted and (width <= room or chip.isChecked())
            chip.setVisible(fits)
            if fits:
                room -= width

    def sizeHint(self) -> QSize:
        return QSize(600, theme().metrics.chip_filter)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _theme_changed(self) -> None:
        self.updateGeometry()
        self._fit()
