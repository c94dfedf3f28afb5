-- Mail digests. A digest is a subscription of somebody without an account; its letters say how one is rid of them in a
-- header that mail programs know. The address leads to the end of the subscription, so it goes when the letter is emptied.

ALTER TABLE letter ADD COLUMN unsubscribe TEXT;
CREATE INDEX subscription_contact ON subscription (contact);
