"""Makes types.parquet: two row groups of a column of each type. Run with pyarrow 26; the file is committed."""

import datetime
import decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

label = [True, False, False, True, False, True, False]
score = [0.5, -1.0, 2.25, 0.5, 0.0, -0.0, 7.0]
start = datetime.datetime(2026, 1, 1)
moments = [start + datetime.timedelta(days=day) for day in range(7)]
required = lambda name, kind: pa.field(name, kind, nullable=False)
columns = [
    (required("flag", pa.bool_()), label),
    (required("int8", pa.int8()), [int(one) for one in label]),
    (required("int64", pa.int64()), [1 if one else -1 for one in label]),
    (required("uint8", pa.uint8()), [int(one) for one in label]),
    (required("text", pa.string()), ["True" if one else "false" for one in label]),
    (required("double_label", pa.float64()), [float(one) for one in label]),
    (pa.field("optional", pa.bool_()), label),
    (required("double", pa.float64()), score),
    (required("float", pa.float32()), score),
    (required("half", pa.float16()), [np.float16(one) for one in score]),
    (required("whole", pa.int32()), [int(one) for one in score]),
    (pa.field("with_nan", pa.float64()), score[:4] + [float("nan")] + score[5:]),
    (pa.field("with_null", pa.float32()), score[:5] + [None] + score[6:]),
    (required("kinds", pa.int32()), [1, 0, 0, 2, 1, 3, 0]),
    (pa.field("list", pa.list_(pa.float64())), [[one] for one in score]),
    (required("decimal", pa.decimal128(9, 2)), [decimal.Decimal("1.25")] * 7),
    (required("whole_weight", pa.uint64()), range(7)),
    (pa.field("region", pa.string()), ["eu", "us", "eu", None, "us", "eu", "eu"]),
    (required("when", pa.timestamp("us")), moments),
    (required("when_ms", pa.timestamp("ms", "UTC")), moments),
    (required("when_text", pa.string()), [one.isoformat() + "Z" for one in moments]),
    (required("day", pa.date32()), [one.date() for one in moments]),
]
table = pa.table([pa.array(values, field.type) for field, values in columns], schema=pa.schema([field for field, _ in columns]))
pq.write_table(table, Path(__file__).with_name("types.parquet"), row_group_size=4, compression="zstd")
