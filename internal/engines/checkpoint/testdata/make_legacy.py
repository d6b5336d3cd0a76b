"""Makes legacy.pt.gz: a file of torch.save in its format of before PyTorch 1.6, with what checkpoints of that time
hold beside tensors. Needs torch (made with 2.15.0).

  python3 internal/engines/checkpoint/testdata/make_legacy.py
"""
import collections, gzip, io, pathlib, torch

both = torch.arange(10, dtype=torch.float32) / 4  # two tensors in one storage, as a flattened LSTM has them
state = collections.OrderedDict(a=both[:6].view(2, 3), b=both[6:], half=torch.tensor([1.5, -2.0], dtype=torch.float16))
whole = {"step": 1564501, "model_state": state, "optimizer_state": {"state": {94770388928816: {"step": 3, "exp_avg": torch.zeros(2)}}, "lr": 1e-4}}
out = io.BytesIO()
torch.save(whole, out, _use_new_zipfile_serialization=False)
with open(pathlib.Path(__file__).parent / "legacy.pt.gz", "wb") as f:
    with gzip.GzipFile(filename="", mode="wb", fileobj=f, mtime=0) as z:
        z.write(out.getvalue())
