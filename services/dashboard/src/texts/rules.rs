//! Rules in German. In English the API tells them, as the rules themselves do.

use super::{Language, Texts};

/// A rule's title and action card in German, by its name.
const GERMAN: [(&str, &str, &str); 30] = [
    (
        "emergency-stop",
        "Not-Halt",
        "Gehen Sie zur Person. Fragen Sie, ob sie verletzt ist. Setzen Sie das Gerät erst zurück, wenn Sie mit ihr gesprochen und gesehen haben, warum es gestoppt wurde.",
    ),
    (
        "safety-key-pulled",
        "Sicherheitsschlüssel gezogen",
        "Gehen Sie zur Person. Fragen Sie, ob sie verletzt ist. Stecken Sie den Schlüssel erst wieder ein, wenn Sie mit ihr gesprochen und gesehen haben, warum er gezogen wurde.",
    ),
    (
        "slow-emergency-stop",
        "Langsamer Not-Halt",
        "Schalten Sie das Gerät am Hauptschalter aus und gehen Sie zur Person. Niemand darf das Gerät benutzen, bevor sein Halt repariert und gemessen ist.",
    ),
    (
        "motion-during-emergency-stop",
        "Band lief bei Not-Halt",
        "Schalten Sie das Gerät am Hauptschalter aus und gehen Sie zur Person. Niemand darf das Gerät benutzen, bevor sein Not-Halt repariert ist.",
    ),
    (
        "restart-by-reset",
        "Anlauf durch Rücksetzen",
        "Drücken Sie den Not-Halt noch einmal und gehen Sie zur Person. Niemand darf das Gerät benutzen, bevor es repariert ist.",
    ),
    (
        "incline-moved-during-emergency-stop",
        "Steigung bewegte sich bei Not-Halt",
        "Schalten Sie das Gerät am Hauptschalter aus und sehen Sie nach, ob jemand unter dem Deck eingeklemmt ist. Niemand darf das Gerät benutzen, bevor es repariert ist.",
    ),
    (
        "unexpected-start",
        "Unerwarteter Anlauf",
        "Drücken Sie den Not-Halt und sehen Sie nach, wer am Gerät oder in seiner Nähe ist. Wenn es niemand gestartet hat, nehmen Sie es außer Betrieb.",
    ),
    (
        "direction-change-while-moving",
        "Richtungswechsel in Bewegung",
        "Gehen Sie zur Person. Nehmen Sie das Gerät außer Betrieb: Wenn es die Richtung ohne Stillstand wechselt, ist der Antrieb oder seine Einstellung fehlerhaft.",
    ),
    (
        "unintended-reverse",
        "Ungewollter Rückwärtslauf",
        "Drücken Sie den Not-Halt und gehen Sie zur Person. Nehmen Sie das Gerät außer Betrieb und lassen Sie den Antrieb prüfen.",
    ),
    (
        "reverse-overspeed",
        "Rückwärts zu schnell",
        "Gehen Sie zur Person und lassen Sie sie das Band verlangsamen. Zeigen Sie ihr, wie man sich an den Griffen hält.",
    ),
    (
        "reverse-on-incline",
        "Rückwärts mit Steigung",
        "Bitten Sie die Person anzuhalten und die Steigung auf null zu stellen. Sagen Sie ihr, dass das Studio Rückwärtslauf nur eben erlaubt.",
    ),
    (
        "reverse-hands-off",
        "Rückwärts ohne Hände am Griff",
        "Gehen Sie zur Person und bitten Sie sie, sich festzuhalten. Bleiben Sie, bis sie sicher geht.",
    ),
    (
        "reverse-without-key",
        "Rückwärts ohne Sicherheitsschlüssel",
        "Stoppen Sie das Gerät. Nehmen Sie es außer Betrieb, bis jemand geprüft hat, dass der Schlüssel das Band stoppt.",
    ),
    (
        "motion-while-out-of-service",
        "Lief, obwohl außer Betrieb",
        "Stoppen Sie das Gerät und ziehen Sie den Stecker oder sperren Sie es. Sagen Sie der Person, warum. Hängen Sie ein Schild daran.",
    ),
    (
        "faster-than-commanded",
        "Schneller als eingestellt",
        "Lassen Sie die Person absteigen. Stoppen Sie das Gerät und nehmen Sie es außer Betrieb, bis der Antrieb geprüft ist.",
    ),
    (
        "runaway-acceleration",
        "Unkontrolliertes Beschleunigen",
        "Gehen Sie zur Person. Stoppen Sie das Gerät und nehmen Sie es außer Betrieb, bis der Antrieb geprüft ist.",
    ),
    (
        "abrupt-stop",
        "Abrupter Stillstand",
        "Gehen Sie zur Person und fragen Sie, ob sie verletzt ist. Suchen Sie, was das Band blockiert, bevor es wieder läuft.",
    ),
    (
        "suspected-fall",
        "Verdacht auf Sturz",
        "Gehen Sie sofort zur Person. Fragen Sie, ob sie verletzt ist, und bewegen Sie sie dann nicht. Setzen Sie das Gerät erst zurück, wenn Sie gesehen haben, warum es gestoppt wurde.",
    ),
    (
        "running-unattended",
        "Läuft ohne Person",
        "Gehen Sie zum Gerät und stoppen Sie es. Ziehen Sie den Schlüssel ab.",
    ),
    (
        "telemetry-lost-while-moving",
        "Keine Meldung während des Laufs",
        "Sehen Sie nach, ob das Band läuft und ob es der Person gut geht. Prüfen Sie dann den Strom des Geräts und seine Verbindung zum Agenten.",
    ),
    (
        "agent-offline",
        "Keine Aufzeichnungen",
        "Prüfen Sie Strom und Netz des Agenten. Wenn das Gerät jede Nacht mit dem Agenten ausgeschaltet wird, setzen Sie dafür eine längere Grenze.",
    ),
    (
        "speed-sources-disagree",
        "Geschwindigkeiten widersprechen sich",
        "Vergleichen Sie beide Geschwindigkeiten mit einem Handtachometer. Prüfen Sie Einheit und Kalibrierung der falschen Quelle.",
    ),
    (
        "direction-sources-disagree",
        "Richtungen widersprechen sich",
        "Lassen Sie niemanden rückwärts gehen, bis die Verdrahtung beider Quellen geprüft und die Richtung neu in Betrieb genommen ist.",
    ),
    (
        "drive-or-sensor-fault",
        "Störung gemeldet",
        "Schlagen Sie die Störung im Handbuch des Geräts nach. Wenn das Band lief, fragen Sie die Person, ob sie verletzt ist, und nehmen Sie das Gerät außer Betrieb, bis die Ursache bekannt ist.",
    ),
    (
        "implausible-value",
        "Unmöglicher Wert",
        "Sofort nichts. Wenn es wiederkommt, prüfen Sie Verdrahtung, Einheit und Firmware der Quelle.",
    ),
    (
        "heart-rate-limit",
        "Herzfrequenz über der Grenze",
        "Gehen Sie zur Person. Verlangsamen Sie das Band und lassen Sie sie ausruhen. Folgen Sie dem medizinischen Plan Ihres Studios.",
    ),
    (
        "heart-rate-lost",
        "Herzfrequenz verloren",
        "Prüfen Sie den Brustgurt der Person. Verlangsamen Sie das Band von Hand, bis die Herzfrequenz wieder da ist.",
    ),
    (
        "emergency-stop-as-normal-stop",
        "Not-Halt als normaler Halt benutzt",
        "Zeigen Sie den Benutzern, wie man das Band mit seiner eigenen Taste anhält und wofür der Not-Halt da ist.",
    ),
    (
        "safety-function-untested",
        "Halt nicht geprüft",
        "Machen Sie eine Prüfung: leeres Band mit 3 km/h laufen lassen, Knopf drücken, dann dasselbe mit dem Schlüssel.",
    ),
    (
        "use-outside-staffed-hours",
        "Benutzt ohne Personal",
        "Finden Sie heraus, wer das Gerät benutzt hat. Wenn es zu dieser Zeit nicht laufen soll, schalten Sie es aus und nehmen Sie den Schlüssel mit.",
    ),
];

impl Texts {
    /// A rule's title; `english` is the API's own.
    pub(crate) fn rule_title<'a>(self, rule: &str, english: &'a str) -> &'a str {
        self.in_german(rule).map_or(english, |(_, title, _)| title)
    }

    /// What to do about an incident of a rule; `english` is the API's own.
    pub(crate) fn action_card<'a>(self, rule: &str, english: &'a str) -> &'a str {
        self.in_german(rule).map_or(english, |(_, _, card)| card)
    }

    /// A rule that is younger than this list stays English.
    fn in_german(self, rule: &str) -> Option<&'static (&'static str, &'static str, &'static str)> {
        match self.language {
            Language::English => None,
            Language::German => GERMAN.iter().find(|(name, _, _)| *name == rule),
        }
    }
}
