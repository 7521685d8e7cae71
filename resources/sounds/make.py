"""Make the sounds of alerts: one WAV file for each severity, beside this file.

Each tone is a sine with two overtones and soft edges, so that it carries over a spindle and does
not click. The peak is 6 dB below full scale: the volume is set on the computer.
"""

import array
import math
import sys
import wave
from pathlib import Path

RATE = 22_050
PEAK = 0.5  # of full scale: -6 dBFS
_OVERTONES = ((1, 1.0), (2, 0.35), (3, 0.15))
_FULL_SCALE = 32_767
_ATTACK_S, _RELEASE_S = 0.012, 0.09
_REST = 0.0

# Each sound is a series of (frequency in Hz, seconds); 0 Hz is a rest.
SOUNDS: dict[str, tuple[tuple[float, float], ...]] = {
    "info": ((880.0, 0.35),),
    "warning": ((660.0, 0.22), (_REST, 0.06), (880.0, 0.34)),
    "critical": (
        *((988.0, 0.16), (_REST, 0.05), (740.0, 0.16), (_REST, 0.05)) * 2,
        (988.0, 0.30),
    ),
}


def tone(frequency: float, seconds: float) -> list[float]:
    """Return the samples of one tone, from -1 to 1."""
    count = round(seconds * RATE)
    if frequency == _REST:
        return [0.0] * count
    whole = sum(share for _, share in _OVERTONES)
    samples = []
    for place in range(count):
        at = place / RATE
        wave_form = sum(
            share * math.sin(2 * math.pi * frequency * times * at) for times, share in _OVERTONES
        )
        edge = min(1.0, at / _ATTACK_S, (seconds - at) / _RELEASE_S)
        samples.append(edge * wave_form / whole)
    return samples


def samples_of(name: str) -> list[int]:
    """Return the 16-bit samples of a sound, with its peak at PEAK."""
    line = [sample for part in SOUNDS[name] for sample in tone(*part)]
    loudest = max(abs(sample) for sample in line)
    return [round(sample / loudest * PEAK * _FULL_SCALE) for sample in line]


def make(folder: Path) -> None:
    """Write every sound into `folder`: 16 bit, mono."""
    for name in SOUNDS:
        samples = array.array("h", samples_of(name))
        if sys.byteorder == "big":
            samples.byteswap()
        with wave.open(str(folder / f"{name}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(samples.tobytes())


if __name__ == "__main__":
    make(Path(__file__).resolve().parent)
