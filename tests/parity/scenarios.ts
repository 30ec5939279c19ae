import { type Backend, Story } from "./story";

/** Scenarios that every runtime must play alike: each gives what its callers saw and what is stored at the end. */
export const scenarios: Record<string, (backend: Backend) => Promise<unknown>> = {
  "a meeting from its creation to its end": async (backend) => {
    const story = new Story(backend);
    const { host, guest } = await story.people("host", "guest");
    const meetingId = await story.meeting("host", { title: "Planning", meetingType: "small-group" });
    await story.call("host", "meetings/lifecycle:addParticipant", {
      meetingId,
      userId: guest,
      role: "participant",
    });
    await story.call("guest", "meetings/lifecycle:joinMeeting", { meetingId });
    await story.call("guest", "meetings/lifecycle:startMeeting", { meetingId });
    await story.call("host", "meetings/lifecycle:endMeeting", { meetingId });
    await story.call("host", "meetings/lifecycle:startMeeting", { meetingId });
    await story.call("host", "meetings/lifecycle:startMeeting", { meetingId });
    await story.call("host", "meetings/lifecycle:cancelMeeting", { meetingId });
    await story.call("host", "meetings/lifecycle:joinMeeting", { meetingId });
    await story.call("guest", "meetings/lifecycle:joinMeeting", { meetingId });
    await story.call("guest", "meetings/lifecycle:joinMeeting", { meetingId });
    await story.call("guest", "meetings/lifecycle:leaveMeeting", { meetingId });
    await story.call("guest", "meetings/lifecycle:leaveMeeting", { meetingId });
    await story.call("guest", "meetings/lifecycle:joinMeeting", { meetingId });
    await story.call("guest", "meetings/queries:getMeeting", { meetingId });
    await story.call("host", "meetings/lifecycle:endMeeting", { meetingId });
    await story.call("guest", "meetings/lifecycle:joinMeeting", { meetingId });
    await story.call("guest", "meetings/lifecycle:leaveMeeting", { meetingId });
    await story.call("host", "meetings/lifecycle:addMultipleParticipants", { meetingId, participants: [] });
    await story.call("host", "meetings/lifecycle:removeParticipant", { meetingId, userId: guest });
    await story.call("host", "meetings/lifecycle:updateParticipantRole", {
      meetingId,
      userId: host,
      newRole: "host",
    });
    await story.call("host", "meetings/lifecycle:cancelMeeting", { meetingId });
    await story.call("host", "meetings/queries:listUserMeetings", { state: "concluded" });
    await story.call("host", "meetings/queries:listUserMeetings", { state: "active" });
    return story.end();
  },

  "adding many people with a reason for each who is skipped": async (backend) => {
    const story = new Story(backend);
    const { ada, bob, cyd, dee, eve } = await story.people("host", "ada", "bob", "cyd", "dee", "eve");
    await story.call("dee", "users/mutations:deactivateUser", { userId: dee });
    const meetingId = await story.meeting("host", { title: "Planning", maxParticipants: 4 });
    await story.call("host", "meetings/lifecycle:addParticipant", {
      meetingId,
      userId: ada,
      role: "co-host",
    });
    const participants = [
      { userId: "no id at all", role: "participant" },
      { userId: "", role: "participant" },
      { userId: "x".repeat(500), role: "participant" },
      { userId: meetingId, role: "participant" },
      { userId: dee, role: "participant" },
      { userId: ada, role: "host" },
      { userId: bob, role: "observer" },
      { userId: bob, role: "participant" },
      { userId: cyd, role: "host" },
      { userId: eve, role: "participant" },
    ];
    await story.call("ada", "meetings/lifecycle:addMultipleParticipants", { meetingId, participants });
    await story.call("host", "meetings/lifecycle:addMultipleParticipants", { meetingId, participants: [] });
    await story.call("host", "meetings/lifecycle:addMultipleParticipants", { meetingId, participants });
    await story.call("host", "meetings/lifecycle:addMultipleParticipants", { meetingId, participants });
    for (const { userId, role } of participants) {
      await story.call("host", "meetings/lifecycle:addParticipant", { meetingId, userId, role });
    }
    return story.end();
  },

  "people who come back": async (backend) => {
    const story = new Story(backend);
    const { host, ada, bob, cyd } = await story.people("host", "ada", "bob", "cyd");
    const meetingId = await story.meeting("host", { title: "Planning", maxParticipants: 3 });
    const add = (...people: [string, string][]) =>
      story.call("host", "meetings/lifecycle:addMultipleParticipants", {
        meetingId,
        participants: people.map(([userId, role]) => ({ userId, role })),
      });
    await add([ada, "participant"], [bob, "participant"]);
    await story.call("ada", "meetings/lifecycle:leaveMeeting", { meetingId });
    await add([cyd, "participant"], [ada, "co-host"]);
    await story.call("host", "meetings/lifecycle:removeParticipant", { meetingId, userId: bob });
    await add([cyd, "participant"], [bob, "observer"]);
    await story.call("host", "meetings/lifecycle:leaveMeeting", { meetingId });
    await add([host, "participant"]);
    await add([host, "host"]);
    return story.end();
  },

  "the places of each type of meeting": async (backend) => {
    const story = new Story(backend);
    const { ada, bob } = await story.people("host", "ada", "bob");
    for (const meetingType of ["one-on-one", "small-group", "large-meeting", "webinar", undefined]) {
      await story.meeting("host", { title: meetingType ?? "none", ...(meetingType && { meetingType }) });
    }
    const small = await story.meeting("host", { title: "Small", maxParticipants: 1 });
    const pair = await story.meeting("host", { title: "Pair", meetingType: "one-on-one" });
    for (const meetingId of [small, pair]) {
      await story.call("host", "meetings/lifecycle:addMultipleParticipants", {
        meetingId,
        participants: [ada, bob].map((userId) => ({ userId, role: "participant" })),
      });
      await story.call("host", "meetings/lifecycle:addParticipant", { meetingId, userId: bob, role: "host" });
    }
    for (const args of [
      { title: "Pair", meetingType: "one-on-one", maxParticipants: 3 },
      { title: "Nobody", maxParticipants: 0 },
      { title: "Everybody", maxParticipants: 100_001 },
      { title: "   " },
      { title: "Past", scheduledAt: 1 },
      { title: "Short", duration: 59_999 },
      { title: "For another", organizerId: ada },
    ]) {
      await story.call("host", "meetings/lifecycle:createMeeting", args);
    }
    return story.end();
  },

  "roles, and the last host": async (backend) => {
    const story = new Story(backend);
    const { host, ada, bob } = await story.people("host", "ada", "bob");
    const meetingId = await story.meeting("host", { title: "Planning" });
    const role = (who: string, userId: string, newRole: string) =>
      story.call(who, "meetings/lifecycle:updateParticipantRole", { meetingId, userId, newRole });
    const remove = (who: string, userId: string) =>
      story.call(who, "meetings/lifecycle:removeParticipant", { meetingId, userId });
    await story.call("host", "meetings/lifecycle:addParticipant", {
      meetingId,
      userId: ada,
      role: "co-host",
    });
    await role("ada", ada, "host");
    await role("host", host, "participant");
    await remove("host", host);
    await role("host", bob, "host");
    await remove("host", "no id at all");
    await role("host", ada, "host");
    await role("ada", host, "observer");
    await remove("host", ada);
    await remove("ada", ada);
    await remove("ada", host);
    await story.call("host", "meetings/queries:getMeeting", { meetingId });
    return story.end();
  },

  "importing lists with a reason for each line that is skipped": async (backend) => {
    const story = new Story(backend);
    await story.people("host", "ada", "bob");
    const meetingId = await story.meeting("host", { title: "Planning", maxParticipants: 5 });
    const text = [
      "\ufeffName;E-Mail;Role;Shoe size",
      '"Lovelace; Ada";ada@example.com;Co-Host;38',
      'Grace;GRACE@example.com;"participant"',
      "Nobody;;host",
      "Again;grace@example.com;",
      "Bad;bad;observer",
      "Lin;lin@example.com;king",
    ].join("\r\n");
    await story.call("host", "meetings/lifecycle:importParticipants", { meetingId, format: "csv", text });
    await story.call("host", "meetings/lifecycle:importParticipants", {
      meetingId,
      format: "ics",
      onExisting: "update",
      onFull: "waitlist",
      text: [
        "BEGIN:VCALENDAR",
        "BEGIN:VEVENT",
        'ATTENDEE;CN="Hopper, Grace":mailto:grace@example.com',
        "ATTENDEE;ROLE=CHAIR:MAILTO:bob@example.com",
        "ATTENDEE;CUTYPE=ROOM:mailto:room@example.com",
        "ATTENDEE;CN=Mary Jackson:mailto:mary@exam",
        " ple.com",
        "ATTENDEE:mailto:late@example.com",
        "END:VEVENT",
        "END:VCALENDAR",
      ].join("\r\n"),
    });
    await story.call("ada", "meetings/lifecycle:importParticipants", { meetingId, format: "csv", text });
    return story.end();
  },

  "lists by role and presence": async (backend) => {
    const story = new Story(backend);
    const { ada, bob, cyd } = await story.people("host", "ada", "bob", "cyd", "stranger");
    const meetingId = await story.meeting("host", { title: "Planning" });
    await story.call("host", "meetings/lifecycle:addMultipleParticipants", {
      meetingId,
      participants: [
        { userId: ada, role: "participant" },
        { userId: bob, role: "participant" },
        { userId: cyd, role: "observer" },
      ],
    });
    await story.call("host", "meetings/lifecycle:startMeeting", { meetingId });
    await story.call("bob", "meetings/lifecycle:joinMeeting", { meetingId });
    await story.call("cyd", "meetings/lifecycle:leaveMeeting", { meetingId });
    for (const filter of [
      {},
      { role: "participant" },
      { presence: "invited" },
      { role: "participant", presence: "joined" },
      { role: "co-host" },
    ]) {
      await story.call("ada", "meetings/queries:listMeetingParticipants", {
        meetingId,
        ...filter,
        paginationOpts: { numItems: 10, cursor: null },
      });
    }
    await story.call("stranger", "meetings/queries:listMeetingParticipants", {
      meetingId,
      paginationOpts: { numItems: 10, cursor: null },
    });
    return story.end();
  },

  "who may call what": async (backend) => {
    const story = new Story(backend);
    const { host } = await story.people("host", "stranger");
    const meetingId = await story.meeting("host", { title: "Planning" });
    const participants = [{ userId: host, role: "participant" }];
    for (const who of ["nobody", "stranger"]) {
      for (const id of [meetingId, host, "no id at all"]) {
        await story.call(who, "meetings/queries:getMeeting", { meetingId: id });
        await story.call(who, "meetings/lifecycle:addMultipleParticipants", { meetingId: id, participants });
      }
      await story.call(who, "users/mutations:deactivateUser", { userId: host });
      await story.call(who, "users/queries:getUserById", { userId: host });
      await story.call(who, "users/queries:getCurrentUser", {});
      await story.call(who, "users/mutations:upsertUser", { workosUserId: "host", email: "x@example.com" });
    }
    await story.call("stranger", "users/mutations:deactivateUser", { userId: "no id at all" });
    await story.call("host", "users/mutations:deactivateUser", { userId: host });
    await story.call("host", "meetings/queries:getMeeting", { meetingId });
    return story.end();
  },
};
