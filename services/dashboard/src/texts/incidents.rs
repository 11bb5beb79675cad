//! Texts of incidents.

use super::{sentences, texts};

texts! {
    incidents: "Incidents", "Vorfälle";
    incident: "Incident", "Vorfall";
    incidents_none: "No incident fits.", "Kein Vorfall passt.";
    incidents_filter: "Filter", "Filter";
    incidents_keys: "Keys: J and K go down and up, Enter opens.", "Tasten: J und K gehen ab- und aufwärts, Enter öffnet.";
    incident_time: "Time", "Zeit";
    incident_severity: "Severity", "Schwere";
    incident_rule: "What", "Was";
    incident_machine: "Machine", "Gerät";
    incident_site: "Site", "Studio";
    incident_belt: "Belt", "Band";
    incident_state: "State", "Zustand";
    incident_order: "Order", "Reihenfolge";
    newest_first: "Newest first", "Neueste zuerst";
    oldest_first: "Oldest first", "Älteste zuerst";
    worst_first: "Worst first", "Schwerste zuerst";
    filter_all: "All", "Alle";
    severity_critical: "Critical", "Kritisch";
    severity_high: "High", "Hoch";
    severity_medium: "Medium", "Mittel";
    severity_low: "Low", "Niedrig";
    severity_info: "Info", "Hinweis";
    state_active: "active", "aktiv";
    state_cleared: "over", "vorbei";
    late: "found later", "später gefunden";
    no_incident: "There is no such incident, or you may not see it.", "Diesen Vorfall gibt es nicht, oder Sie dürfen ihn nicht sehen.";
    incidents_page_gone: "This page of the list is no longer there.", "Diese Seite der Liste gibt es nicht mehr.";
    incidents_filter_wrong: "The filter is not one of this page.", "Dieser Filter ist keiner dieser Seite.";
    what_to_do: "What to do", "Was zu tun ist";
    what_happened: "What happened", "Was geschah";
    trace_title: "Speed around it", "Geschwindigkeit rundherum";
    trace_key: "Above zero the belt runs forward, below zero in reverse. Dashed: direction unknown. A gap: nothing is known. Lines mark what happened.", "Über null läuft das Band vorwärts, darunter rückwärts. Gestrichelt: Richtung unbekannt. Lücke: nichts ist bekannt. Linien zeigen, was geschah.";
    trace_recording: "Recording of the agent at full rate.", "Aufzeichnung des Agenten mit voller Rate.";
    trace_recording_cut: "Recording of the agent at full rate; its end is missing or still to come.", "Aufzeichnung des Agenten mit voller Rate; ihr Ende fehlt oder kommt noch.";
    trace_readings: "Readings of the server, about one a second; the agent made no recording.", "Messwerte des Servers, etwa einer je Sekunde; der Agent hat nichts aufgezeichnet.";
    trace_incomplete: "More readings are still to come.", "Weitere Messwerte kommen noch.";
    mark_incident: "here", "hier";
    mark_standstill: "standstill", "Stillstand";
    mark_clear: "over", "vorbei";
    stop_time: "Time to standstill", "Zeit bis Stillstand";
    stop_distance: "Belt distance to standstill", "Bandweg bis Stillstand";
    measured_title: "Measured", "Gemessen";
    thresholds_title: "Thresholds used", "Verwendete Schwellen";
    evidence_title: "Evidence", "Belege";
    detected: "Found by the server", "Vom Server gefunden";
    rule_meaning: "When this rule holds", "Wann diese Regel gilt";
    rule_reason: "Why", "Warum";
    capabilities: "The machine could report", "Das Gerät konnte melden";
    unconfirmed: "A later version of the rule does not find it any more.", "Eine spätere Version der Regel findet ihn nicht mehr.";
    explained: "Explanation", "Erklärung";
    all_incidents: "All incidents", "Alle Vorfälle";
    machine_incidents: "Incidents", "Vorfälle";
    machine_incidents_none: "None is known. What this machine cannot report is not among them.", "Keiner ist bekannt. Was dieses Gerät nicht melden kann, ist nicht dabei.";
    part_incidents: "Incidents", "Vorfälle";
    part_incident: "The incident", "Der Vorfall";
    older: "Older", "Ältere";
    next_page: "Next page", "Nächste Seite";
    first_page: "First page", "Erste Seite";
}

sentences! {
    incident_on(title, machine): "{title} on {machine}", "{title} an {machine}";
    belt_ran(direction, speed): "The belt ran {direction} at {speed}.", "Das Band lief {direction} mit {speed}.";
    belt_stood(direction): "The belt: {direction}.", "Das Band: {direction}.";
    belt_moved(speed): "The belt moved at {speed}; which way is not known.", "Das Band lief mit {speed}; in welche Richtung, ist nicht bekannt.";
    came_to_rest(seconds, distance): "It came to rest after {seconds} s and {distance}.", "Es stand nach {seconds} s und {distance}.";
    stands_for(count): "It stands for {count} edges or values.", "Er steht für {count} Flanken oder Werte.";
    seconds_of(n): "{n} s", "{n} s";
}
