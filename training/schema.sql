-- Labelled samples for training, as training/samples/postgres.py reads them. Any table or view with these columns will do (TRAINING_TABLE).
CREATE TABLE IF NOT EXISTS labelled_samples (
    -- The same id always falls on the same side of the split, so a sample that was held out is held out for ever. It is also what
    -- joins a row with a line in S3.
    id text PRIMARY KEY,
    product smallint CHECK (product BETWEEN 0 AND 99),
    recipe smallint CHECK (recipe BETWEEN 0 AND 49),
    asset smallint CHECK (asset BETWEEN 0 AND 199),
    -- Twelve readings in raw physical units, in the order of SENSORS in training/vocabulary.py. All four columns are NULL where the
    -- reading lies in S3 and only its label is here.
    sensors real[] CHECK (cardinality(sensors) = 12),
    -- The truth, by the names of CLASSES in training/vocabulary.py; NULL until somebody knows it.
    label text CHECK (label IN ('normal', 'bearing_wear', 'overheating', 'misalignment', 'electrical_fault', 'tool_wear')),
    recorded_at timestamptz,
    labelled_at timestamptz,
    labelled_by text
);
