// The other of two files that run at the same time; see left.test.mjs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { address, mailpit, meet, send } from "../suite.mjs";

const shared = "shared@suite.test";

test("shares a recipient, a tag and a Message-ID", async () => {
  meet("shared-sent", false);
  await send(shared, { tags: "shared-tag", messageId: "<same@suite.test>" });
  assert.ok((await mailpit.searchMessages({ query: `to:"${shared}"` })).messages.length);
  meet("shared-sent-too", false);
});

test("sends what the other deletes, and goes on", async () => {
  meet("counted", false);
  await send(address("unread"));
  meet("unread-sent", false);
  meet("emptied", false);
  await send(address("after"));
});
