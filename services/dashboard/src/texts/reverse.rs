//! Texts of belts in reverse.

use super::{sentences, texts};

texts! {
    reverse_belt: "Reverse belt", "Band rückwärts";
    reverse_all_users: "all users of these machines", "alle Personen an diesen Geräten";
    reverse_summary: "In reverse", "Rückwärts";
    reverse_none: "No belt was seen in reverse. Choose a longer span, another site or another machine.", "Kein Band war rückwärts zu sehen. Wählen Sie eine längere Spanne, ein anderes Studio oder ein anderes Gerät.";
    reverse_nothing_hidden: "No motion with an unknown direction was seen.", "Bewegung mit unbekannter Richtung war nicht zu sehen.";
    reverse_presence: "When nobody was there", "Wenn niemand da war";
    reverse_machines: "Machines with reverse motion", "Geräte mit Rückwärtslauf";
    reverse_to_usage: "All usage of this span", "Gesamte Nutzung dieser Spanne";
    blind_title: "Blind spots", "Blinde Flecken";
    blind_none: "None is known.", "Keiner ist bekannt.";
    blind_lead: "These machines can run in reverse, or nobody has said that they cannot, and they tell no direction. What they did in reverse is in no figure here:", "Diese Geräte können rückwärts laufen, oder niemand hat das Gegenteil angegeben, und sie melden keine Richtung. Was bei ihnen rückwärts lief, steckt in keiner Zahl hier:";
    intervals_title: "Intervals", "Intervalle";
    intervals_lead: "An interval is a run in reverse of at least 5 s within a session; pauses of up to 2 s do not end it.", "Ein Intervall ist ein Lauf rückwärts von mindestens 5 s in einem Training; Pausen bis 2 s beenden es nicht.";
    intervals_none: "There is none in this span.", "In dieser Spanne gibt es keines.";
    intervals_count: "Intervals", "Intervalle";
    intervals_thirty: "Of 30 s (25 to 35 s)", "Von 30 s (25 bis 35 s)";
    intervals_median: "Median length", "Mittlere Länge (Median)";
    intervals_longest: "Longest", "Längstes";
    intervals_histogram: "Intervals by length", "Intervalle nach Länge";
    interval_length: "Length", "Länge";
    work_to_rest: "Work to rest", "Belastung zu Erholung";
    work_to_rest_none: "no interval was followed by another one", "auf kein Intervall folgte ein weiteres";
    recovery_title: "What came after", "Was danach kam";
    recovery_kind: "Recovery", "Erholung";
    recovery_share: "Share", "Anteil";
    recovery_mean: "Mean length", "Mittlere Länge";
    recovery_last: "no further interval", "kein weiteres Intervall";
    recovery_standing: "the belt stood", "das Band stand";
    recovery_forward: "it ran forward", "es lief vorwärts";
    recovery_reverse: "it ran on in reverse", "es lief weiter rückwärts";
    recovery_mixed: "this and that", "Verschiedenes";
    recovery_unseen: "it was not seen", "es war nicht zu sehen";
    grades_title: "By grade", "Nach Neigung";
    grades_lead: "Downhill means: the belt ran in reverse with its front end raised, so that whoever is on it goes down the slope, whichever way they face. Uphill: with its front end lowered.", "Bergab heißt: das Band lief rückwärts und war vorne angehoben; wer darauf ist, geht das Gefälle hinab, egal wohin er schaut. Bergauf: vorne abgesenkt.";
    grade: "Grade", "Neigung";
    grade_time: "Time", "Zeit";
    grade_share: "Share", "Anteil";
    grade_level: "level (below 1 %)", "eben (unter 1 %)";
    grade_uphill: "uphill", "bergauf";
    grade_downhill: "downhill", "bergab";
    grade_unknown: "grade unknown", "Neigung unbekannt";
    advice_title: "As starting advice says", "Wie es Einsteigern geraten wird";
    advice_lead: "Criterion by criterion, each for the time in which it was known. It tells what the belt did, not whether that was good for somebody.", "Jedes Kriterium für sich und für die Zeit, in der es bekannt war. Es sagt, was das Band tat, nicht, ob es jemandem guttat.";
    advice_level: "On a level deck", "Auf ebenem Band";
    advice_rail: "Hands on the rails", "Hände an den Griffen";
    advice_key: "Safety key in place", "Sicherheitsschlüssel steckt";
    energy_title: "Energy, estimated", "Energie, geschätzt";
    energy_lead: "From speed and mass alone, by an equation for walking and a factor from few studies. Never the machine's own figure; nothing is estimated uphill or downhill.", "Allein aus Geschwindigkeit und Masse, nach einer Gleichung für das Gehen und einem Faktor aus wenigen Studien. Nie die Zahl des Geräts; bergauf und bergab wird nichts geschätzt.";
    energy_none: "There was no level motion in reverse at walking speed: nothing can be estimated.", "Es gab keinen ebenen Rückwärtslauf im Gehtempo: nichts lässt sich schätzen.";
}

sentences! {
    reverse_seen(time, distance, sessions): "Belts ran in reverse for {time} over {distance}, in {sessions} sessions.", "Bänder liefen {time} rückwärts über {distance}, in {sessions} Trainings.";
    reverse_speeds(mean, max): "On average at {mean}, at most at {max}.", "Im Mittel mit {mean}, höchstens mit {max}.";
    reverse_hidden(time): "Another {time} of motion had an unknown direction: some of it may have been in reverse.", "Bei weiteren {time} Bewegung war die Richtung unbekannt: ein Teil davon kann rückwärts gewesen sein.";
    reverse_unstaffed(time, known): "Outside staffed hours: {time}, of {known} at sites that have said when staff are there.", "Ohne Personal: {time}, von {known} in Studios, die angegeben haben, wann Personal da ist.";
    reverse_unlabelled(time): "In sessions without a label: {time}. Nobody said that they supervised it.", "In Trainings ohne Kennzeichen: {time}. Niemand hat angegeben, sie begleitet zu haben.";
    reverse_incidents(n): "Incidents of rules about reverse motion in this span: {n}. The lists show those of any time.", "Vorfälle nach Regeln zum Rückwärtslauf in dieser Spanne: {n}. Die Listen zeigen alle Zeiten.";
    blind_line(telling, all): "{telling} of {all} machines that can run in reverse, or of which nobody has said, told a direction in this span.", "{telling} von {all} Geräten, die rückwärts laufen können oder von denen das niemand angegeben hat, meldeten in dieser Spanne eine Richtung.";
    blind_moved(time): "moved for {time}, direction unknown", "lief {time}, Richtung unbekannt";
    interval_class(from, to): "{from} to under {to}", "{from} bis unter {to}";
    interval_class_open(from): "{from} or longer", "{from} oder länger";
    work_to_rest_is(rest, ratio): "1 to {rest} ({ratio})", "1 zu {rest} ({ratio})";
    grade_coverage(percent): "Speed, direction and incline were known for {percent} % of the time.", "Geschwindigkeit, Richtung und Steigung waren für {percent} % der Zeit bekannt.";
    advice_slow(speed): "At {speed} or slower", "Mit {speed} oder langsamer";
    advice_met(percent, known, all): "{percent} % of the {known} in which that was known; of {all} in all.", "{percent} % der {known}, in denen das bekannt war; von {all} insgesamt.";
    advice_unknown(all): "Never known in the {all} in reverse.", "In den {all} rückwärts nie bekannt.";
    energy_band(low, high, middle): "Estimated {low} to {high} kcal, in between {middle} kcal.", "Geschätzt {low} bis {high} kcal, dazwischen {middle} kcal.";
    energy_basis(mass, time): "For a person of {mass} kg, from {time} of level motion in reverse.", "Für eine Person von {mass} kg, aus {time} ebenem Rückwärtslauf.";
    energy_extrapolated(speed): "Extrapolated below {speed}: the mean speed lies outside of what the equation was made for.", "Extrapoliert unter {speed}: die mittlere Geschwindigkeit liegt außerhalb dessen, wofür die Gleichung gemacht ist.";
}
