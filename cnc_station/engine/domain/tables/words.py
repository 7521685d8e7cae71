"""Words inside tables: units, months, totals and footers. Edit these tables to teach a new word.

Words are matched without accents and in lower case.
"""

from collections.abc import Mapping

TIME_UNITS: Mapping[float, str] = {
    1.0: "s, sec, secs, second, seconds, sek, sekunde, sekunden, seconde, secondes, segundo, "
    "segundos, secondo, secondi, seg, segs",
    60.0: "m, min, mins, mn, minute, minutes, minuten, minuto, minutos, minuti",
    3600.0: "h, hr, hrs, hour, hours, std, stunde, stunden, heure, heures, hora, horas, ora, ore, "
    "stdn, hur",
    86_400.0: "d, day, days, tag, tage, jour, jours, dia, dias, giorno, giorni",
}
PIECES = (
    "pc, pcs, pce, pces, piece, pieces, part, parts, ea, each, no, nos, unit, units, off, item, "
    "st, stk, stck, stuck, stueck, teil, teile, einheit, einheiten, p, pi, "
    "piece s, pieces, pz, pzs, pza, pzas, pieza, piezas, ud, uds, u, un, unidad, unidades, und, "
    "pezzo, pezzi, nr, cad, qty"
)
WHOLE_ORDERS = "order, lot, batch, job, run, auftrag, los, charge, lote, lotto, commessa, total"
PER = "/, per, je, pro, par, por, al, a"
TOTAL_MARKS = "total, gesamt, gesamtzeit, auftragszeit, totale, fixed"
CLOCKS: Mapping[str, str] = {
    "hm": "h:m, h:mm, hh:mm, hhh:mm, hh.mm, h.mm, std:min, h:min, hh:min, hrs:mins, hr:min",
    "ms": "m:s, m:ss, mm:ss, mmm:ss, min:s, min:ss, min:sec, min:sek, mins:secs, mm.ss",
    "hms": "h:m:s, h:mm:ss, hh:mm:ss, hhh:mm:ss",
}
MONTHS = (
    "jan, january, januar, janv, janvier, ene, enero, gen, gennaio",
    "feb, february, februar, fev, fevr, fevrier, febrero, febbraio",
    "mar, march, marz, maerz, mrz, mars, marzo",
    "apr, april, avr, avril, abr, abril, aprile",
    "may, mai, mayo, mag, maggio",
    "jun, june, juni, juin, junio, giu, giugno",
    "jul, july, juli, juil, juillet, julio, lug, luglio",
    "aug, august, aout, ago, agosto",
    "sep, sept, september, septembre, septiembre, set, settembre",
    "oct, october, okt, oktober, octobre, octubre, ott, ottobre",
    "nov, november, novembre, noviembre",
    "dec, december, dez, dezember, decembre, dic, diciembre, dicembre",
)
WEEKDAYS = (
    "mo, mon, monday, montag, lun, lundi, lunes, lunedi, tu, tue, tues, tuesday, di, dienstag, "
    "mar, mardi, martes, martedi, we, wed, wednesday, mi, mittwoch, mer, mercredi, mie, "
    "miercoles, mercoledi, th, thu, thur, thurs, thursday, do, donnerstag, jeu, jeudi, jue, "
    "jueves, gio, giovedi, fr, fri, friday, freitag, ven, vendredi, vie, viernes, venerdi, sa, "
    "sat, saturday, samstag, sam, samedi, sab, sabado, sabato, so, sun, sunday, sonntag, dim, "
    "dimanche, dom, domingo, domenica"
)
TOTALS = (
    "total, totals, grand total, sub total, subtotal, sum, summe, gesamt, gesamtsumme, endsumme, "
    "zwischensumme, summe gesamt, somme, sous total, total general, suma, total general, totale, "
    "totale generale, somma, subtotale"
)
FOOTERS = (
    "printed, page, seite, records, record, end of report, end of list, generated, exported, "
    "report, ausdruck, gedruckt, erstellt, datensatze, ende der liste, stand, imprime, edite, "
    "fin de liste, pagina, impreso, generado, fin del informe, stampato, generato, fine elenco, "
    "rows selected, applied filters, filter, user, created by, count"
)
# A word in a header that shows what kind of value its column holds.
KINDS: Mapping[str, str] = {
    "quantity": "qty, quantity, quantities, qnty, qnt, pcs, pieces, menge, stuckzahl, anzahl, stk, "
    "stuck, losgrosse, quantite, qte, cantidad, ctd, cant, piezas, quantita, qta, pezzi",
    "estimated_s": "time, runtime, duration, cycle, cycletime, minutes, mins, min, seconds, secs, "
    "hours, hrs, hr, zeit, stuckzeit, zykluszeit, laufzeit, dauer, minuten, stunden, temps, duree, "
    "heures, tiempo, duracion, minutos, horas, tempo, durata, minuti, ore",
    "due_at": "date, due, deadline, termin, datum, fallig, echeance, delai, livraison, fecha, "
    "vencimiento, entrega, plazo, scadenza, consegna",
    "machine_type": "machine, machines, workcenter, workcentre, workstation, resource, maschine, "
    "arbeitsplatz, anlage, ressource, maquina, macchina, poste",
}
