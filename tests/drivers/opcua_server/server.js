/*
 * An OPC UA server with machine tools after OPC 40501-1, on a loopback port, for the tests.
 *
 * node-opcua brings the server and the OPC Foundation's own nodesets, so that the driver meets the
 * real model, real types and real alarms. A JSON object on the command line says what to serve; each
 * line on standard input, a JSON array of a command and its arguments, says what happens, and is
 * answered with a line once it has. It ends with its standard input.
 */
"use strict";

const path = require("node:path");
const readline = require("node:readline");
const { OPCUACertificateManager } = require("node-opcua-certificate-manager");
const { coerceLocalizedText } = require("node-opcua-data-model");
const { OPCUAServer } = require("node-opcua-server");
const { StatusCodes } = require("node-opcua-status-code");
const { DataType } = require("node-opcua-variant");

const URI = "http://opcfoundation.org/UA/";
const STATES = ["Initializing", "Running", "Ended", "Interrupted", "Aborted"];
const MODES = ["Manual", "Automatic", "Setup", "AutoWithManualIntervention", "Service", "Other"];
const CHANNEL_STATES = ["Active", "Interrupted", "Reset"];
const CHANNEL_MODES = ["Automatic", "MdaMdi", "JogManual"];
const EXECUTING = { Initializing: "NotExecuting", Ended: "NotExecuting", Running: "Executing" };

const wanted = {
    channels: [], port: 0, version: "1.02", order: "usual", machines: ["MILL-1"], bare: false, folder: "",
    ...JSON.parse(process.argv[2] || "{}"),
};

/** The nodesets in the order in which they get their indexes. */
function nodesets() {
    const newer = wanted.version === "1.02";
    const folder = path.dirname(
        require.resolve(`${newer ? "node-opcua-nodesets" : "node-opcua-nodesets-older"}/package.json`),
    );
    const middle = ["Machinery", "IA"];
    if (wanted.order !== "usual") middle.reverse();
    const names = ["", "Di", ...middle];
    const files = names.map((name) => `Opc.Ua.${name}${name && "."}NodeSet2.xml`);
    if (newer) files.push("opc.ua.isa95-jobcontrol.nodeset2.xml", "Opc.Ua.Machinery.Jobs.Nodeset2.xml");
    files.push("Opc.Ua.MachineTool.NodeSet2.xml");
    return files.map((file) => path.join(folder, "nodesets", file));
}

class Machine {
    constructor(space, name, nextAlarm) {
        const index = (uri) => space.getNamespaceIndex(URI + uri);
        const own = space.getOwnNamespace();
        const machines = space.rootFolder.objects.getFolderElementByName("Machines", index("Machinery/"));
        const type = space.findObjectType("MachineToolType", index("MachineTool/"));
        this.space = space;
        this.node = type.instantiate({
            browseName: { name, namespaceIndex: own.index },
            organizedBy: machines,
            namespace: own,
            optionals: wanted.bare ? [] : [
                "Notification.Messages",
                "Monitoring.MachineTool.FeedOverride",
                "Monitoring.MachineTool.MachineryItemState",
                "Monitoring.MachineTool.MachineryOperationMode",
                "Production.Statistics",
                "Production.Statistics.PartsProducedInLifetime",
            ],
        });
        const channelType = space.findObjectType("ChannelMonitoringType", index("MachineTool/"));
        for (const channel of wanted.channels) {
            channelType.instantiate({
                browseName: { name: channel, namespaceIndex: own.index },
                componentOf: this.node.monitoring,
                namespace: own,
                optionals: ["ChannelModifiers", "ChannelModifiers.TestMode"],
            });
        }
        const server = space.rootFolder.objects.server;
        const notifiers = wanted.bare ? [] : [this.node, this.node.notification, this.at("notification.messages")];
        const chain = [server, ...notifiers];
        notifiers.forEach((node, place) => {
            chain[place].addReference({ referenceType: "HasNotifier", nodeId: node });
            node.setEventNotifier(1);
        });
        this.source = wanted.bare ? this.node : this.at("notification.messages");
        (wanted.bare ? server : this.node.notification).addReference({
            referenceType: "HasEventSource", nodeId: this.source,
        });
        this.alarms = new Map();
        this.nextAlarm = nextAlarm;
        this.set("identification.manufacturer", DataType.LocalizedText, coerceLocalizedText("Acme"));
        this.set("identification.serialNumber", DataType.String, "4711");
        this.reset();
    }

    /** As it was at first. */
    reset() {
        for (const code of [...this.alarms.keys()]) this.clear(code);
        this.mode("Automatic");
        this.state("Initializing");
        this.program("");
        for (const channel of wanted.channels) {
            this.channel(channel, "Reset");
            this.channelMode(channel, "Automatic");
            for (const name of ["dryRun", "singleStep", "testMode"]) this.modifier(channel, name, false);
        }
        if (wanted.bare) return;
        this.purpose("Processing");
        this.override(100);
        this.parts(0);
    }

    at(where) {
        return where.split(".").reduce((node, name) => {
            const found = node && (node[name] || node.getChildByName(name[0].toUpperCase() + name.slice(1)));
            if (!found) throw new Error(`no ${name} in ${where}`);
            return found;
        }, this.node);
    }

    set(where, dataType, value) {
        this.at(where).setValueFromSource({ dataType, value });
    }

    program(name) {
        this.set("production.activeProgram.name", DataType.String, name);
    }

    parts(count) {
        this.set("production.statistics.partsProducedInLifetime", DataType.UInt32, count);
    }

    override(percent) {
        this.set("monitoring.machineTool.feedOverride", DataType.Double, percent);
    }

    mode(name) {
        this.set("monitoring.machineTool.operationMode", DataType.Int32, MODES.indexOf(name));
    }

    state(name) {
        const state = this.at("production.activeProgram.state");
        const type = this.space.findObjectType(
            "ProductionStateMachineType", this.space.getNamespaceIndex(`${URI}MachineTool/`),
        );
        const number = STATES.indexOf(name);
        // In another language than English: what the driver may not rely on.
        state.currentState.setValueFromSource({ dataType: DataType.LocalizedText, value: coerceLocalizedText(`«${name}»`) });
        state.currentState.id.setValueFromSource({ dataType: DataType.NodeId, value: type.getChildByName(name).nodeId });
        state.currentState.number.setValueFromSource({ dataType: DataType.UInt32, value: number });
        if (!wanted.bare) this.itemState(EXECUTING[name] || "NotExecuting");
    }

    itemState(name) {
        const state = this.at("monitoring.machineTool.machineryItemState");
        const type = this.space.findObjectType(
            "MachineryItemState_StateMachineType", this.space.getNamespaceIndex(`${URI}Machinery/`),
        );
        state.currentState.setValueFromSource({ dataType: DataType.LocalizedText, value: coerceLocalizedText(name) });
        state.currentState.id.setValueFromSource({ dataType: DataType.NodeId, value: type.getChildByName(name).nodeId });
    }

    purpose(name) {
        const state = this.at("monitoring.machineTool.machineryOperationMode");
        const type = this.space.findObjectType(
            "MachineryOperationModeStateMachineType", this.space.getNamespaceIndex(`${URI}Machinery/`),
        );
        state.currentState.setValueFromSource({ dataType: DataType.LocalizedText, value: coerceLocalizedText(name) });
        state.currentState.id.setValueFromSource({ dataType: DataType.NodeId, value: type.getChildByName(name).nodeId });
    }

    channel(channel, state) {
        this.set(`monitoring.${channel}.channelState`, DataType.Int32, CHANNEL_STATES.indexOf(state));
    }

    channelMode(channel, mode) {
        this.set(`monitoring.${channel}.channelMode`, DataType.Int32, CHANNEL_MODES.indexOf(mode));
    }

    modifier(channel, name, on) {
        this.set(`monitoring.${channel}.channelModifiers.${name}`, DataType.Boolean, on);
    }

    silent(where, bad) {
        const node = this.at(where);
        node.setValueFromSource(node.readValue().value, bad ? StatusCodes.BadNoCommunication : StatusCodes.Good);
    }

    alarm(words, code) {
        const type = this.space.findEventType("AlertType", this.space.getNamespaceIndex(`${URI}MachineTool/`));
        const alarm = this.space.getOwnNamespace().instantiateAlarmCondition(type, {
            browseName: `Alert${this.nextAlarm()}`,
            conditionName: code,
            componentOf: this.source,
            conditionSource: this.source,
            inputNode: this.at("monitoring.machineTool.operationMode"),
        });
        alarm.getChildByName("ErrorCode")?.setValueFromSource({ dataType: DataType.String, value: code });
        alarm.currentBranch().setMessage(words);
        alarm.activateAlarm();
        alarm.raiseNewCondition({ message: words, severity: 800, quality: StatusCodes.Good, retain: true });
        this.alarms.set(code, alarm);
    }

    clear(code) {
        const alarm = this.alarms.get(code);
        alarm.desactivateAlarm();
        alarm.raiseNewCondition({ message: "gone", severity: 0, quality: StatusCodes.Good, retain: false });
        this.alarms.delete(code);
    }
}

async function main() {
    let alarms = 0;
    const server = new OPCUAServer({
        host: "127.0.0.1",
        hostname: "127.0.0.1",
        port: wanted.port,
        nodeset_filename: nodesets(),
        securityModes: [1],
        securityPolicies: ["http://opcfoundation.org/UA/SecurityPolicy#None"],
        disableDiscovery: true,
        serverCertificateManager: new OPCUACertificateManager({ rootFolder: path.join(wanted.folder, "pki") }),
        userCertificateManager: new OPCUACertificateManager({ rootFolder: path.join(wanted.folder, "user_pki") }),
    });
    await server.initialize();
    const space = server.engine.addressSpace;
    space.installAlarmsAndConditionsService();
    const machines = new Map(wanted.machines.map((name) => [name, new Machine(space, name, () => ++alarms)]));
    await server.start();
    console.log(JSON.stringify({ url: server.getEndpointUrl() }));

    for await (const line of readline.createInterface({ input: process.stdin })) {
        const [command, ...rest] = JSON.parse(line);
        if (command === "shutdown") break;
        const [name, ...values] = rest;
        machines.get(name)[command](...values);
        console.log(JSON.stringify({ done: command }));
    }
    await server.shutdown(0);
    console.log(JSON.stringify({ done: "shutdown" }));
}

main().then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });
