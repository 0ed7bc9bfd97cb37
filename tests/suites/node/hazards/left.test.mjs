// One of two files that run at the same time and do what makes a suite flaky; the other is right.test.mjs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { mailpit, meet, send } from "../suite.mjs";

const shared = "shared@suite.test";

test("shares a recipient, a tag and a Message-ID, and reads the latest mail", async () => {
  await send(shared, { tags: "shared-tag", messageId: "<same@suite.test>" });
  meet("shared-sent", true);
  meet("shared-sent-too", true);
  assert.ok(await mailpit.getMessageSummary("latest"));
  assert.ok((await mailpit.listMessages()).messages.length >= 2);
  assert.ok((await mailpit.searchMessages({ query: "subject:hello" })).messages.length >= 2);
});

test("deletes everything while the other works", async () => {
  meet("counted", true);
  meet("unread-sent", true);
  await mailpit.deleteMessages();
  meet("emptied", true);
});
