-- How far time has been told of a vocabulary is asked of the log itself: the last row that tells of a day that came.
CREATE INDEX change_effective ON change (vocabulary, seq) WHERE kind = 'edition.effective';
