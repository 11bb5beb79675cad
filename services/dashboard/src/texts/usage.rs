//! Texts of usage, and of the filter above it.

use super::{sentences, texts};

texts! {
    menu_usage: "Usage", "Nutzung";
    menu_reverse: "Reverse belt", "Rückwärts";
    usage: "Usage", "Nutzung";
    usage_measured: "forward, measured", "vorwärts, gemessen";
    usage_declared: "forward (declared)", "vorwärts (angegeben)";
    usage_forward: "forward", "vorwärts";
    usage_reverse: "reverse", "rückwärts";
    usage_unknown: "direction unknown", "Richtung unbekannt";
    usage_rest: "at rest", "stand";
    usage_all_motion: "In motion", "In Bewegung";
    usage_counted_for: "Counted for", "Gezählt für";
    usage_nothing_asked: "No time of this span has passed yet.", "Von dieser Spanne ist noch keine Zeit vergangen.";
    usage_as_of_none: "No machine was heard in the last day.", "Im letzten Tag war kein Gerät zu hören.";
    usage_silent: "Silent for over a day:", "Seit über einem Tag stumm:";
    usage_silent_more: "What they did since may still come.", "Was sie seither taten, kann noch kommen.";
    usage_summary: "In all", "Insgesamt";
    usage_none: "No belt was seen in motion. Choose a longer span, or another site or machine.", "Kein Band war in Bewegung zu sehen. Wählen Sie eine längere Spanne, ein anderes Studio oder ein anderes Gerät.";
    usage_unseen: "Nothing was told in this span: this is no standstill. Choose another span, or look whether the agents of these machines are online.", "In dieser Spanne wurde nichts gemeldet: das heißt nicht, dass alles stand. Wählen Sie eine andere Spanne, oder sehen Sie nach, ob die Agenten dieser Geräte erreichbar sind.";
    usage_dates: "Dates and hours in the zone of each site. Belt time: an hour of two belts counts twice.", "Daten und Stunden in der Zone des jeweiligen Studios. Bandzeit: eine Stunde zweier Bänder zählt doppelt.";
    usage_bars: "Over time", "Im Verlauf";
    usage_bars_how: "Kinds lie upon each other; each has a pattern of its own.", "Die Arten liegen übereinander; jede hat ihr eigenes Muster.";
    usage_low: "Hatched ground: counted for less than half of that time.", "Schraffierter Grund: für weniger als die Hälfte dieser Zeit gezählt.";
    as_table: "As a table", "Als Tabelle";

    span: "Span", "Zeitspanne";
    span_today: "Today", "Heute";
    span_week: "7 days", "7 Tage";
    span_four_weeks: "28 days", "28 Tage";
    span_month: "This month", "Dieser Monat";
    span_last_month: "Last month", "Letzter Monat";
    span_year: "A year", "Ein Jahr";
    span_own: "Own dates", "Eigene Daten";
    span_from: "First day", "Erster Tag";
    span_to: "Last day", "Letzter Tag";
    in_steps: "Steps", "Schritte";
    by_fitting: "As fits the span", "Passend zur Spanne";
    by_hour: "Hours", "Stunden";
    by_day: "Days", "Tage";
    by_week: "Weeks", "Wochen";
    by_month: "Months", "Monate";
    mass: "Mass of a person, in kg", "Masse einer Person, in kg";
    filter_machine_id: "Machine, by its id", "Gerät, nach Kennung";

    monday: "Monday", "Montag";
    tuesday: "Tuesday", "Dienstag";
    wednesday: "Wednesday", "Mittwoch";
    thursday: "Thursday", "Donnerstag";
    friday: "Friday", "Freitag";
    saturday: "Saturday", "Samstag";
    sunday: "Sunday", "Sonntag";
    heat_title: "By weekday and hour", "Nach Wochentag und Stunde";
    heat_all: "whichever way", "egal in welche Richtung";
    heat_caption: "Per cent of the time seen in which belts moved. Each cell tells more when you point at it, tap it, or reach it with the arrow keys.", "Prozent der gesehenen Zeit, in der Bänder liefen. Jede Zelle sagt mehr, wenn Sie darauf zeigen, tippen oder sie mit den Pfeiltasten erreichen.";
    heat_low: "Hatched: seen for less than half of the time. “?”: never seen.", "Schraffiert: weniger als die Hälfte der Zeit gesehen. „?“: nie gesehen.";
    heat_declared: "Forward includes what is declared of one-way belts.", "Vorwärts enthält, was von Bändern angegeben ist, die nur vorwärts laufen.";
    heat_too_long: "This map shows at most 400 days. Choose a shorter span.", "Diese Karte zeigt höchstens 400 Tage. Wählen Sie eine kürzere Spanne.";

    ranking_title: "Machines", "Geräte nach Nutzung";
    ranking_lead: "Swap the places of machines that run most and least, so that they wear alike.", "Tauschen Sie die Plätze von Geräten, die am meisten und am wenigsten laufen, damit sie gleich verschleißen.";
    ranking_none: "No machine fits. Choose another site, model or machine.", "Kein Gerät passt. Wählen Sie ein anderes Studio, Modell oder Gerät.";
    order_most: "Most motion", "Am meisten bewegt";
    order_least: "Least motion", "Am wenigsten bewegt";
    order_reverse: "Most reverse", "Am meisten rückwärts";
    order_distance: "Longest distance", "Weiteste Strecke";
    blind_machine: "tells no direction", "meldet keine Richtung";
    blind_machine_more: "This machine tells no direction: what it did in reverse is among “direction unknown”.", "Dieses Gerät meldet keine Richtung: was rückwärts lief, steckt in „Richtung unbekannt“.";

    utilisation_title: "Use against opening hours", "Auslastung der Öffnungszeiten";
    utilisation_too_long: "This is told for at most 92 days. Choose a shorter span.", "Das gibt es für höchstens 92 Tage. Wählen Sie eine kürzere Spanne.";
    utilisation_unseen: "Nothing was seen while the site was open.", "Während der Öffnungszeiten war nichts zu sehen.";
    utilisation_no_session: "There was no session.", "Es gab kein Training.";
    opening_not_said: "Nobody has said when this site is open: it counts as open at all times.", "Niemand hat angegeben, wann dieses Studio geöffnet hat: es gilt als immer geöffnet.";
    opening_set: "Set opening hours", "Öffnungszeiten angeben";
    staffed_not_said: "Nobody has said when staff are there.", "Niemand hat angegeben, wann Personal da ist.";

    maintenance_title: "Service due", "Fällige Wartung";
    maintenance_lead: "Belt hours and distance since the last service, as far as they were seen, against the plan. Now, whatever the span above.", "Bandstunden und Strecke seit der letzten Wartung, soweit gesehen, gegen den Plan. Stand jetzt, unabhängig von der Spanne oben.";
    maintenance_none: "No machine here has a service plan. An administrator can make one by hours, by distance, or both.", "Kein Gerät hier hat einen Wartungsplan. Die Verwaltung kann einen nach Stunden, nach Strecke oder nach beidem anlegen.";
    maintenance_due: "due", "fällig";
    maintenance_soon: "due soon", "bald fällig";
    maintenance_later: "not due", "nicht fällig";
    maintenance_used: "Used up", "Verbraucht";
    maintenance_hours: "Belt hours", "Bandstunden";
    maintenance_last: "Last service", "Letzte Wartung";
    maintenance_never: "nobody has said; counted since its registration", "nicht angegeben; gezählt seit der Anlage des Geräts";
    maintenance_unsure: "belts may have run unseen", "Bänder können ungesehen gelaufen sein";

    files: "Save as a file", "Als Datei speichern";
    files_lead: "Just what is shown: the same machines, span and steps.", "Genau das Gezeigte: dieselben Geräte, Spanne und Schritte.";
    file_usage: "Usage", "Nutzung";
    file_sessions: "Sessions", "Trainings";
    file_intervals: "Intervals", "Intervalle";

    machine_usage: "Usage of the last 28 days", "Nutzung der letzten 28 Tage";
    machine_usage_more: "All usage of this machine", "Gesamte Nutzung dieses Geräts";

    part_usage: "Usage", "Nutzung";
    part_periods: "Usage over time", "Nutzung im Verlauf";
    part_heat_map: "Usage by weekday and hour", "Nutzung nach Wochentag und Stunde";
    part_utilisation: "Use against opening hours", "Auslastung";
    part_maintenance: "Service due", "Fällige Wartung";
    part_reverse_use: "Reverse motion", "Rückwärtslauf";
    part_export: "The file", "Die Datei";
}

sentences! {
    usage_percent(n): "{n} %", "{n} %";
    usage_of_which_declared(all, declared): "{all} ({declared} declared)", "{all} ({declared} angegeben)";
    usage_counted(percent, silent, machines): "Counted for {percent} % of the time; {silent} of {machines} machines told nothing.", "Für {percent} % der Zeit gezählt; {silent} von {machines} Geräten meldeten nichts.";
    usage_counted_all(percent, machines): "Counted for {percent} % of the time; all of {machines} machines told something.", "Für {percent} % der Zeit gezählt; alle {machines} Geräte meldeten etwas.";
    usage_counted_short(percent): "counted for {percent}", "gezählt für {percent}";
    usage_direction_known(percent, known, machines): "The direction was known for {percent} % of the time; {known} of {machines} machines told it or cannot run in reverse.", "Die Richtung war für {percent} % der Zeit bekannt; {known} von {machines} Geräten meldeten sie oder können nicht rückwärts laufen.";
    machine_counted(percent, known): "Counted for {percent} % of the time; the direction was known for {known} %.", "Für {percent} % der Zeit gezählt; die Richtung war für {known} % bekannt.";
    usage_as_of(time): "Complete up to {time}.", "Vollständig bis {time}.";
    usage_and_more(n): "and {n} more", "und {n} weitere";
    usage_span(first, last, days): "{first} to {last}, {days} days.", "{first} bis {last}, {days} Tage.";
    usage_moved(time, distance, starts): "Belts moved for {time} over {distance}; they started {starts} times.", "Bänder liefen {time} über {distance}; sie liefen {starts}-mal an.";
    usage_by_way(kinds): "Of this: {kinds}.", "Davon: {kinds}.";
    usage_bars_title(steps): "Belt time. Steps: {steps}.", "Bandzeit. Schritte: {steps}.";
    week_from(date): "week from {date}", "Woche ab {date}";
    period_again(period): "{period} (again)", "{period} (noch einmal)";
    period_partial(period): "{period} (cut off)", "{period} (angeschnitten)";
    date_wrong(text): "“{text}” is no date such as 2026-11-01.", "„{text}“ ist kein Datum wie 2026-11-01.";
    dates_reversed(first): "The last day lies before the first one. Choose {first} or later.", "Der letzte Tag liegt vor dem ersten. Wählen Sie {first} oder später.";
    span_too_long(days, most, nearest): "{days} days are too many: at most {most} are allowed. Begin on {nearest} or later.", "{days} Tage sind zu viel: höchstens {most} sind erlaubt. Beginnen Sie am {nearest} oder später.";
    periods_too_many(periods, most, days, nearest): "{periods} steps are too many: a page shows at most {most}. Choose at most {days} days, or steps of: {nearest}. A file can hold more.", "{periods} Schritte sind zu viel: eine Seite zeigt höchstens {most}. Wählen Sie höchstens {days} Tage oder diese Schritte: {nearest}. Eine Datei fasst mehr.";
    mass_wrong(least, most): "Give {least} to {most} kg, as a whole number.", "Geben Sie {least} bis {most} kg an, als ganze Zahl.";
    heat_when(day, from, to): "{day} {from} to {to} o'clock", "{day} {from} bis {to} Uhr";
    heat_tip(when, forward, reverse, unknown, percent): "{when}: forward {forward}, reverse {reverse}, direction unknown {unknown}; counted for {percent} % of the time.", "{when}: vorwärts {forward}, rückwärts {reverse}, Richtung unbekannt {unknown}; für {percent} % der Zeit gezählt.";
    heat_unseen(when): "{when}: never seen.", "{when}: nie gesehen.";
    heat_not_asked(when): "{when}: not in this span.", "{when}: nicht in dieser Spanne.";
    heat_key(percent): "From nothing to {percent} %, the most in this map.", "Von nichts bis {percent} %, dem Höchsten in dieser Karte.";
    ranking_cut(shown, all): "{shown} of {all} machines are shown. Choose a site or a model, or save a file.", "{shown} von {all} Geräten werden gezeigt. Wählen Sie ein Studio oder Modell, oder speichern Sie eine Datei.";
    sites_cut(n): "Only {n} sites are shown. Choose a site.", "Nur {n} Studios werden gezeigt. Wählen Sie ein Studio.";
    utilisation_used(percent, moved, covered): "Used for {percent} % of the time seen while open: {moved} of {covered}.", "Zu {percent} % der gesehenen Öffnungszeit genutzt: {moved} von {covered}.";
    utilisation_seen(percent, available): "Seen for {percent} % of {available} in which machines could have been used.", "Gesehen: {percent} % von {available}, in denen Geräte nutzbar waren.";
    utilisation_peak(most, machines, time): "At most {most} of {machines} machines at once, first on {time}.", "Höchstens {most} von {machines} Geräten zugleich, zuerst am {time}.";
    utilisation_closed(time): "Belts moved for {time} outside opening hours.", "Außerhalb der Öffnungszeiten liefen Bänder {time}.";
    utilisation_out(time): "Out of service while open: {time}, not counted as available.", "Außer Betrieb während der Öffnungszeiten: {time}, nicht als nutzbar gezählt.";
    utilisation_unstaffed(time): "In reverse outside staffed hours: {time}.", "Rückwärts ohne Personal: {time}.";
    maintenance_of(done, plan): "{done} of {plan}", "{done} von {plan}";
    maintenance_without(n): "{n} of the machines listed have no service plan.", "{n} der aufgeführten Geräte haben keinen Wartungsplan.";
    maintenance_cut(shown, all): "{shown} of {all} machines were looked at, the most overdue first. Choose a site.", "{shown} von {all} Geräten wurden betrachtet, die am längsten überfälligen zuerst. Wählen Sie ein Studio.";
}
