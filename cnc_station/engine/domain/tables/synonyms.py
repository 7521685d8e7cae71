"""Names of columns in tables of jobs, in five languages. Edit this table to teach a new name.

Write a name in lower case, as it stands in the header. Accents may stay, and `ä` also matches `ae`.
Brackets and units of a header are not part of its name. In each language the most certain name
comes first. If two columns mean one field, the more certain name decides. A name that stands for
two fields belongs to the first one.
"""

from collections.abc import Mapping

FIELD_NAMES: Mapping[str, Mapping[str, str]] = {
    "name": {
        "en": "part name, part, part no, part number, part id, item, item name, item no, "
        "item number, item code, product, product name, job, job name, title, article, drawing, "
        "drawing no, drawing number, sku, variant code",
        "de": "teil, teilebezeichnung, teilename, teilenummer, teile nr, teilenr, artikel, "
        "artikelnummer, artikel nr, artikelnr, artikelbezeichnung, werkstück, bauteil, produkt, "
        "erzeugnis, zeichnung, zeichnungsnummer, zeichnungsnr, zeichnungs nr, sachnummer",
        "fr": "pièce, nom de la pièce, référence pièce, réf pièce, code pièce, article, "
        "code article, référence article, désignation article, produit, plan, numéro de plan",
        "es": "pieza, nombre de la pieza, nombre, número de pieza, referencia pieza, artículo, "
        "código artículo, código de artículo, producto, plano, número de plano",
        "it": "pezzo, nome pezzo, particolare, articolo, codice articolo, codice pezzo, "
        "codice particolare, prodotto, codice prodotto, disegno, numero disegno",
    },
    "machine_type": {
        "en": "machine type, machine, mach type, mach, type, machine group, work center, "
        "work centre, workcenter, workcentre, work cntr, work center name, resource, "
        "workstation, work station, "
        "work station type, work cell, workcell, machine center, mc type, mc, equipment",
        "de": "maschine, masch, maschinentyp, maschinenart, maschinengruppe, arbeitsplatz, "
        "arbeitsplatzgruppe, fertigungsmaschine, anlage, ressource, betriebsmittel",
        "fr": "machine, type de machine, machine outil, poste de travail, poste de charge, poste, "
        "centre de charge, centre de travail, ressource, groupe de machines, atelier machine",
        "es": "máquina, tipo de máquina, grupo de máquinas, centro de trabajo, "
        "puesto de trabajo, recurso",
        "it": "macchina, tipo macchina, tipo di macchina, gruppo macchine, centro di lavoro, "
        "centro lavoro, risorsa, postazione, reparto macchine",
    },
    "work_order": {
        "en": "work order, wo, wo no, work order no, work order number, work order id, order, "
        "order no, order number, job order, production order, production order no, "
        "manufacturing order, "
        "mo, mo no, shop order, job no, job number, traveler, traveller, traveler no",
        "de": "auftrag, auftragsnummer, auftrags nr, auftragsnr, auftrag nr, fertigungsauftrag, "
        "fertigungsauftragsnummer, fa, fa nr, fa nummer, betriebsauftrag, ba, ba nr, "
        "produktionsauftrag, werkauftrag, laufkarte",
        "fr": "ordre de fabrication, of, n of, no of, numéro of, ordre, no ordre, "
        "numéro d ordre, commande, no commande, numéro de commande, bon de travail",
        "es": "orden de fabricación, orden de trabajo, orden de producción, of, ot, no orden, "
        "número de orden, orden, pedido, no pedido, número de pedido",
        "it": "ordine di produzione, ordine di lavoro, odp, odl, commessa, no commessa, "
        "numero commessa, ordine, no ordine, numero ordine, ordine no",
    },
    "operation": {
        "en": "op, op no, operation no, operation number, step, step no, op name, operation name, "
        "sequence, sequence id, seq, seq no, operation activity, activity, operation sequence",
        "de": "arbeitsgang, arbeitsgangnummer, arbeitsgang nr, ag, ag nr, agnr, afo, afo nr, "
        "avo, avo nr, vorgang, vorgangsnummer, vorgang nr, arbeitsfolge, operation, schritt",
        "fr": "opération, no opération, numéro d opération, op, phase, no phase, étape, gamme",
        "es": "operación, no operación, número de operación, op, fase, paso, secuencia",
        "it": "operazione, no operazione, numero operazione, op, fase, no fase, numero fase, "
        "lavorazione, sequenza",
    },
    "after": {
        "en": "comes after, after op, after operation, after keys, predecessor, predecessors, "
        "depends on, previous op, previous operation, waits for",
        "de": "nach, vorgänger, nach arbeitsgang, nach vorgang, folgt auf, wartet auf",
        "fr": "après, prédécesseur, après opération, dépend de, opération précédente",
        "es": "después de, predecesor, depende de, operación anterior",
        "it": "dopo, predecessore, dipende da, operazione precedente, fase precedente",
    },
    "key": {"en": "job key, row key, id, job id, ref, reference"},
    "quantity": {
        "en": "make qty, make quantity, qty to make, quantity to make, qty to manufacture, "
        "quantity to manufacture, qty to produce, quantity to produce, planned quantity, "
        "planned qty, run qty, run quantity, build qty, build quantity, target quantity, "
        "target qty, qty, order qty, order quantity, ordered qty, qty ordered, quantity ordered, "
        "job qty, job quantity, required qty, required quantity, qty required, for quantity, "
        "production quantity, total quantity, total qty, open qty, open quantity, qty open, "
        "remaining qty, remaining quantity, quantity remaining, pcs, pieces, parts, no of parts, "
        "no of pieces, number of parts, number of pieces, count, amount, batch size, lot size, "
        "batch, lot",
        "de": "menge, stückzahl, anzahl, stück, stk, sollmenge, auftragsmenge, fertigungsmenge, "
        "produktionsmenge, gesamtmenge, zu fertigen, bestellmenge, planmenge, losgröße, los, "
        "offene menge, restmenge, anzahl teile, anzahl stück, teileanzahl",
        "fr": "quantité, qté, qte, quantité à fabriquer, qté à fabriquer, quantité à produire, "
        "quantité demandée, qté demandée, quantité prévue, quantité commandée, nombre, "
        "nombre de pièces, nb pièces, nb de pièces, pièces, taille du lot, taille de lot, lot",
        "es": "cantidad, cant, ctd, cantidad a fabricar, cantidad a producir, "
        "cantidad planificada, cantidad pedida, número de piezas, no piezas, piezas, unidades, "
        "uds, tamaño de lote, lote",
        "it": "quantità, qta, q tà, qtà, quantità da produrre, qta da produrre, "
        "quantità ordinata, quantità richiesta, quantità pianificata, numero pezzi, no pezzi, "
        "pezzi, pz, lotto, dimensione lotto",
    },
    "due_at": {
        "en": "due, due date, deadline, due by, due time, due on, needed by, need date, need by, "
        "required by, required date, date required, deliver by, delivery date, "
        "expected delivery date, expected delivery, delivery, ship date, ship by, promise date, "
        "promised date, promised, production deadline, date deadline, must leave by, "
        "must leave by date, finish by, finish date, end date, completion date, "
        "planned end date, planned finish, planned finish date, scheduled end, scheduled finish, "
        "basic finish date, basic fin date, scheduled date",
        "de": "liefertermin, lieferdatum, termin, fällig, fällig am, fälligkeit, "
        "fälligkeitsdatum, fertig bis, fertigstellung, fertigstellungstermin, endtermin, "
        "eckendtermin, eckende, solltermin, wunschtermin, bedarfstermin, bedarfsdatum, zieltermin, "
        "endedatum, enddatum, lieferung, liefern bis, abgabetermin, plan ende, planende",
        "fr": "échéance, date d échéance, délai, date de livraison, livraison, date livraison, "
        "date limite, date de fin, date fin, pour le, date besoin, date de besoin, "
        "date souhaitée, fin prévue, date prévue",
        "es": "vencimiento, fecha de vencimiento, fecha de entrega, fecha entrega, entrega, "
        "fecha límite, plazo, plazo de entrega, fecha fin, fecha de fin, fecha prevista, "
        "fecha requerida, fecha de necesidad",
        "it": "scadenza, data di scadenza, data scadenza, data di consegna, data consegna, "
        "consegna, termine, data fine, data di fine, fine prevista, data prevista, "
        "data richiesta, entro il",
    },
    "priority": {
        "en": "prio, urgency, rush",
        "de": "priorität, prio, dringlichkeit, rang",
        "fr": "priorité, prio, urgence",
        "es": "prioridad, urgencia",
        "it": "priorità, urgenza",
    },
    "material": {
        "en": "mat, stock, raw material, alloy, material grade, stock material",
        "de": "werkstoff, material, rohmaterial, rohstoff, materialgüte, halbzeug",
        "fr": "matière, matériau, matière première, nuance, alliage",
        "es": "material, materia prima, aleación",
        "it": "materiale, materia prima, lega",
    },
    "complexity": {
        "en": "cx, difficulty, grade",
        "de": "komplexität, schwierigkeit, schwierigkeitsgrad",
        "fr": "complexité, difficulté",
        "es": "complejidad, dificultad",
        "it": "complessità, difficoltà",
    },
    "estimated_s": {
        "en": "estimated, estimate, estimated time, estimated runtime, est time, est, "
        "run time per part, runtime per part, time per part, time per piece, time per unit, "
        "unit time, run time, runtime, cycle time, cycle, cycletime, machine time, "
        "machining time, run, processing time, production time, std time, standard time, "
        "planned time, duration, expected duration, operation time, seconds, minutes, time, "
        "total time, total run time, total runtime",
        "de": "stückzeit, zeit je stück, zeit pro stück, zeit stück, zeit je einheit, te, "
        "zykluszeit, taktzeit, bearbeitungszeit, maschinenzeit, fertigungszeit, laufzeit, "
        "hauptzeit, vorgabezeit, sollzeit, planzeit, ausführungszeit, dauer, zeit, gesamtzeit, "
        "auftragszeit",
        "fr": "temps unitaire, temps par pièce, temps pièce, temps de cycle, cycle, "
        "temps d usinage, temps machine, temps de fabrication, temps gamme, temps prévu, durée, "
        "temps, temps total, durée totale",
        "es": "tiempo por pieza, tiempo unitario, tiempo pieza, tiempo de ciclo, ciclo, "
        "tiempo de mecanizado, tiempo máquina, tiempo de máquina, tiempo estimado, duración, "
        "tiempo, tiempo total",
        "it": "tempo per pezzo, tempo unitario, tempo pezzo, tempo ciclo, tempo di ciclo, ciclo, "
        "tempo macchina, tempo di lavorazione, tempo lavorazione, tempo previsto, durata, tempo, "
        "tempo totale",
    },
    "time_unit": {
        "en": "time unit, unit of time, cycle unit, time uom, run unit, run method, run units, "
        "machine unit, machine time unit, cycle time unit, run time unit",
        "de": "zeiteinheit, einheit zeit",
        "fr": "unité de temps, unité temps",
        "es": "unidad de tiempo",
        "it": "unità di tempo, unità tempo",
    },
    "program": {
        "en": "nc program, program name, program no, program number, program file, nc file, nc, "
        "file, file name, filename, gcode, g code, gcode file, cnc, cnc program, cam file",
        "de": "programm, nc programm, cnc programm, programmname, programmnummer, programm nr, "
        "programmdatei, datei, dateiname",
        "fr": "programme, programme cn, programme nc, programme cnc, nom du programme, "
        "no programme, numéro de programme, fichier, nom du fichier",
        "es": "programa, programa cnc, programa nc, nombre del programa, no programa, "
        "número de programa, archivo, fichero",
        "it": "programma, programma cnc, programma nc, nome programma, no programma, "
        "numero programma, file, nome file",
    },
    "customer": {
        "en": "customer name, customer id, customer code, client, client name, company, for, buyer",
        "de": "kunde, kundenname, kundennummer, auftraggeber, besteller, firma",
        "fr": "client, nom du client, code client, donneur d ordre",
        "es": "cliente, nombre del cliente, código cliente",
        "it": "cliente, nome cliente, codice cliente, committente",
    },
    "tenant": {"en": "tenant id", "de": "mandant"},
    "axes": {"en": "no of axes, axis", "de": "achsen", "fr": "axes", "es": "ejes", "it": "assi"},
    "envelope": {
        "en": "size, part size, dimensions, stock size, workpiece size",
        "de": "abmessungen, abmessung, teilegröße, maße, rohmaß, rohmaße",
        "fr": "dimensions, encombrement",
        "es": "dimensiones, medidas",
        "it": "dimensioni, misure, ingombro",
    },
    "pinned_machine_id": {
        "en": "only on machine, pinned machine, pin, pin to, fixed machine",
        "de": "nur auf maschine, feste maschine",
        "fr": "uniquement sur machine, machine imposée",
        "es": "solo en máquina, máquina fija",
        "it": "solo su macchina, macchina fissa",
    },
    "not_before": {
        "en": "not before, earliest, earliest start, start after, release date",
        "de": "nicht vor, frühestens, frühester start, frühester beginn, freigabedatum",
        "fr": "pas avant, début au plus tôt, au plus tôt",
        "es": "no antes de, inicio más temprano",
        "it": "non prima di, inizio più presto",
    },
    "handler": {"en": "job handler"},
    "payload": {"en": "data, json, parameters"},
    "description": {
        "en": "details, long text, part description, item description, product description, "
        "operation description, op description",
        "de": "beschreibung, bezeichnung, benennung, kurztext, text, langtext, "
        "teilebeschreibung, artikelbeschreibung",
        "fr": "description, désignation, libellé",
        "es": "descripción, denominación, designación",
        "it": "descrizione, denominazione, designazione",
    },
    "external_id": {
        "en": "external no, external number, foreign id, erp id, erp no, erp number, uuid",
        "de": "externe id, externe nummer, fremdnummer, erp nummer, erp nr",
        "fr": "id externe, identifiant externe, numéro externe",
        "es": "id externo, identificador externo",
        "it": "id esterno, identificativo esterno",
    },
    "notes": {
        "en": "note, note text, remark, remarks, comment, comments, instructions, "
        "work instructions",
        "de": "bemerkung, bemerkungen, hinweis, hinweise, notiz, notizen, kommentar, "
        "anmerkung, anmerkungen, anweisung",
        "fr": "remarque, remarques, note, notes, commentaire, commentaires, "
        "observations, consignes",
        "es": "notas, nota, observaciones, comentario, comentarios, instrucciones",
        "it": "note, nota, osservazioni, commento, commenti, istruzioni",
    },
    "retry_limit": {"en": "retries, retry, max retries"},
    "timeout_s": {"en": "time limit, timeout, max time", "de": "zeitlimit", "fr": "temps maximal"},
    "draft": {
        "en": "is draft",
        "de": "entwurf",
        "fr": "brouillon",
        "es": "borrador",
        "it": "bozza",
    },
}

# Columns that exports have and a job has no field for: named in a note, never asked about.
NOT_USED = (
    "setup time, set up time, setup, setup hrs, setup hours, labor time, labour time, teardown, "
    "completed qty, qty completed, completed quantity, quantity completed, total completed qty, "
    "manufactured qty, produced qty, qty produced, quantity produced, quantity producing, "
    "qty complete, complete qty, finished qty, scrap qty, scrapped qty, scrap quantity, "
    "qty scrapped, process loss qty, shipped qty, qty shipped, qty good, delivered quantity, "
    "confirmed quantity, confirmed yield, confirmed scrap, scrap, yield, reject qty, rejected qty, "
    "order date, date ordered, creation date, created, created on, created at, created by, "
    "date created, last modified, last updated on, modified, updated, printed, print date, "
    "start date, planned start, planned start date, scheduled start, scheduled start date, start, "
    "start time, actual start, actual start date, actual end, actual end date, actual finish, "
    "actual time, actual hours, actual hrs, actual run hrs, time logged, real duration, "
    "date start, basic start date, basic start, time spent, done date, date finished, "
    "rüstzeit, tr, rüsten, istmenge, gutmenge, ausschuss, ausschussmenge, fertige menge, "
    "gefertigte menge, gelieferte menge, rückgemeldete menge, bestelldatum, auftragsdatum, "
    "anlagedatum, erstellt am, erstellt von, geändert am, starttermin, startdatum, "
    "eckstarttermin, eckstart, beginn, istzeit, ist beginn, ist ende, personalzeit, liegezeit, "
    "temps de réglage, temps réglage, réglage, quantité produite, qté produite, "
    "quantité rebutée, rebut, date de création, date de commande, date de début, date début, "
    "début prévu, créé le, "
    "tiempo de preparación, preparación, cantidad producida, cantidad terminada, "
    "fecha de creación, fecha de pedido, fecha de inicio, fecha inicio, creado el, "
    "tempo di attrezzaggio, attrezzaggio, quantità prodotta, qta prodotta, scarto, "
    "data di creazione, data ordine, data creazione, data inizio, data di inizio, creato il"
)
