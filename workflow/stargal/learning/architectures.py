"""Architectures: the networks of the 2023 course report and others, from nanomaggies to the probability of a star.

An architecture is a function from softened pixels to features; `build` adds the softening before it and the output
after it.
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import pandas as pd
from keras import layers, ops
from numpy.typing import NDArray

from stargal.errors import StargalError

SOFTENING = 10.0
"""Flux at which the scale of the input changes from linear to logarithmic, sky sigma per pixel.

Chosen by the validation loss of `regularized` on real fields, two seeds each: 0.48 and 0.50 at 1 (dropout 0.2); with
dropout 0.3, 0.27 and 0.31 at 10, 0.26 and 0.29 at 20; at 40 the loss of one of two networks did not fall. Raw pixels,
in sky sigma, gave more than 3.
"""

MOMENTUM = 0.9
"""Momentum of the running means of batch normalization: they span ten steps. A small training set has ten steps per
epoch; with the usual 0.99 its first epochs would be validated with means close to their initial values."""

PSF_AWARE = "psf_aware"
"""The architecture that takes the PSF at each source."""

CENTRE = 5
"""Side of the square around the target that `unet` averages, pixels: 2 arcsec, the core of the image of a star."""


def build(
    architecture: str,
    *,
    size: int,
    sky_sigma: Sequence[float],
    seed: int,
    classes: int | None = None,
    auxiliary: Sequence[tuple[float, float, float, float]] = (),
    **settings: Any,
) -> keras.Model:
    """Build an untrained network, with the softening of its input.

    Parameters
    ----------
    architecture : str
        A name in `ARCHITECTURES`.
    size : int
        Side of the patches, pixels.
    sky_sigma : sequence of float
        Sky noise of each band, nanomaggies per pixel.
    seed : int
        Seed of the initial weights and of dropout. The same seed gives the same network, bit for bit.
    classes : int or None
        Number of classes; None for star and galaxy with one output.
    auxiliary : sequence of (float, float, float, float)
        Mean, standard deviation, minimum and maximum of each auxiliary input in the training set.
    **settings
        Arguments of the architecture: see the function of that name.

    Returns
    -------
    keras.Model
        Takes float32 ``(n, size, size, bands)``, nanomaggies, NaN where there is no data; gives float32 ``(n, 1)``,
        the probability that the source is a star (label 1) and not a galaxy (label 0), or ``(n, classes)``, the
        probability of each class. With further inputs it takes a list: the patches; for `psf_aware` the PSF of each
        source as `stargal.imaging.psf.psf_stamps` gives it, float32 ``(n, size, size, bands)``; and auxiliary inputs,
        float32 ``(n, inputs)``, NaN where an input is not known.

    Raises
    ------
    StargalError
        If the patch is too small for the layers of `cnn`.
    """
    keras.utils.clear_session()  # layers are numbered within a process; the file must not depend on earlier ones
    keras.utils.set_random_seed(seed)
    patches = keras.Input((size, size, len(sky_sigma)), name="nanomaggies")
    inputs = [patches]
    if architecture == PSF_AWARE:
        inputs.append(keras.Input((size, size, len(sky_sigma)), name="psf"))
        given: tuple[Any, ...] = patches, inputs[1], sky_sigma
    else:
        given = (softened(patches, sky_sigma),)
    if auxiliary:
        inputs.append(keras.Input((len(auxiliary),), name="auxiliary"))
        settings["auxiliary"] = normalized(inputs[-1], auxiliary)
    features = ARCHITECTURES[architecture](*given, **settings)
    if classes is None:
        probability = layers.Dense(1, activation="sigmoid", name="star")(features)
    else:
        probability = layers.Dense(classes, activation="softmax", name="class")(features)
    return keras.Model(inputs if len(inputs) > 1 else patches, probability, name=architecture)


def softened(patches: Any, sky_sigma: Sequence[float]) -> Any:
    """asinh(flux / (`SOFTENING` sky sigma)) of each band: linear for faint pixels, logarithmic for bright ones.

    The scale of SDSS magnitudes (Lupton, Gunn & Szalay 1999). Pixels without data become 0, the mean of the
    subtracted sky.
    """
    _, rows, columns, bands = patches.shape
    lines = ops.reshape(patches, (-1, rows, columns * bands))  # long rows take half the time of rows of five
    flux = ops.where(ops.isnan(lines), ops.zeros_like(lines), lines)
    scale = [1 / (SOFTENING * float(sigma)) for sigma in sky_sigma] * columns
    return _arcsinh(ops.reshape(layers.Rescaling(scale, name="softened")(flux), (-1, rows, columns, bands)))


def normalized(given: Any, seen: Sequence[tuple[float, float, float, float]]) -> Any:
    """Inputs ``(n, inputs)`` in standard deviations from their means; unknown values become 0, the mean.

    Values beyond the range of the training set are clipped to it: a network cannot know the effect of larger ones, and
    fields of another run may lie several standard deviations away.
    """
    mean, deviation, least, greatest = np.array(seen, float).T
    shifted = layers.Rescaling((1 / deviation).tolist(), (-mean / deviation).tolist(), name="normalized")(given)
    ends = [((end - mean) / deviation).tolist() for end in (least, greatest)]
    known = ops.clip(shifted, *ends)
    return ops.where(ops.isnan(known), ops.zeros_like(known), known)


def base(pixels: Any, *, auxiliary: Any = None) -> Any:
    """The report's first network (its section 7.1): 151,297 parameters for patches of 25 x 25 x 5.

    Like all architectures, it takes the `normalized` auxiliary inputs before its last dense layers.
    """
    x = layers.Conv2D(32, 3, activation="relu", name="conv_1")(pixels)
    x = layers.MaxPooling2D(2, name="pool_1")(x)
    x = layers.Conv2D(64, 3, activation="relu", name="conv_2")(x)
    x = layers.MaxPooling2D(2, name="pool_2")(x)
    x = _joined(layers.Flatten(name="flatten")(x), auxiliary)
    return layers.Dense(128, activation="relu", name="dense")(x)


def regularized(pixels: Any, *, dropout: float, l2: float, auxiliary: Any = None) -> Any:
    """The report's tuned network: `base` with dropout and an l2 penalty on every kernel but the last.

    Parameters
    ----------
    pixels : tensor
        Softened pixels.
    dropout : float
        Fraction dropped: of feature maps, of their pixels and of the dense layer alike.
    l2 : float
        Weight of the sum of squared kernel weights in the loss.
    """
    penalty = keras.regularizers.L2(l2)
    x = layers.Conv2D(32, 3, activation="relu", kernel_regularizer=penalty, name="conv_1")(pixels)
    x = layers.MaxPooling2D(2, name="pool_1")(x)
    x = layers.SpatialDropout2D(dropout, name="spatial_dropout_1")(x)
    x = layers.Dropout(dropout, name="dropout_1")(x)
    x = layers.Conv2D(64, 3, activation="relu", kernel_regularizer=penalty, name="conv_2")(x)
    x = layers.MaxPooling2D(2, name="pool_2")(x)
    x = layers.SpatialDropout2D(dropout, name="spatial_dropout_2")(x)
    x = layers.Dropout(dropout, name="dropout_2")(x)
    x = _joined(layers.Flatten(name="flatten")(x), auxiliary)
    x = layers.Dense(128, activation="relu", kernel_regularizer=penalty, name="dense")(x)
    return layers.Dropout(dropout, name="dropout_3")(x)


def cnn(
    pixels: Any,
    *,
    filters: Sequence[int],
    kernel: int,
    pool: int,
    dense: int,
    batch_normalization: bool,
    dropout: float,
    l2: float,
    auxiliary: Any = None,
) -> Any:
    """`regularized` with configurable numbers: a convolution and a pooling for each of `filters`, and a dense layer.

    Parameters
    ----------
    pixels : tensor
        Softened pixels.
    filters : sequence of int
        Feature maps of each convolution. [32, 64] in `regularized`.
    kernel, pool : int
        Side of the convolutions and of the pooling, pixels. 3 and 2 in `regularized`.
    dense : int
        Nodes of the dense layer. 128 in `regularized`.
    batch_normalization : bool
        Whether the convolutions are normalized over the batch (Ioffe & Szegedy 2015).
    dropout, l2 : float
        As in `regularized`.

    Raises
    ------
    StargalError
        If the patch is too small.
    """
    penalty = keras.regularizers.L2(l2)
    x = pixels
    for number, count in enumerate(filters, start=1):
        if x.shape[1] < kernel + pool - 1:
            raise StargalError(
                f"a patch of {pixels.shape[1]} pixels is too small for {len(filters)} convolutions of kernel {kernel} "
                f"with pooling by {pool}: {x.shape[1]} pixels are left before convolution {number}; give fewer filters "
                "or a larger patch_size"
            )
        x = _convolution(x, count, kernel, f"conv_{number}", normalized=batch_normalization, kernel_regularizer=penalty)
        x = layers.MaxPooling2D(pool, name=f"pool_{number}")(x)
        x = layers.SpatialDropout2D(dropout, name=f"spatial_dropout_{number}")(x)
        x = layers.Dropout(dropout, name=f"dropout_{number}")(x)
    x = _joined(layers.Flatten(name="flatten")(x), auxiliary)
    x = layers.Dense(dense, activation="relu", kernel_regularizer=penalty, name="dense")(x)
    return layers.Dropout(dropout, name="dropout_dense")(x)


def unet(pixels: Any, *, filters: Sequence[int], dropout: float, auxiliary: Any = None) -> Any:
    """A small U-Net (Ronneberger, Fischer & Brox 2015), averaged around the target.

    The last maps of a U-Net have the size of the patch. They are averaged over the `CENTRE` square around the target:
    the average over the whole patch would include its neighbours.

    Parameters
    ----------
    pixels : tensor
        Softened pixels.
    filters : sequence of int
        Feature maps of each level, from the full resolution down; each level halves it.
    dropout : float
        Fraction dropped of the maps at the lowest level, and of the averages at the end.
    """
    x, skipped = pixels, []
    for level, count in enumerate(filters[:-1], start=1):
        x = _convolution(x, count, 3, f"down_{level}a", padding="same")
        x = _convolution(x, count, 3, f"down_{level}b", padding="same")
        skipped.append((level, count, x))
        x = layers.MaxPooling2D(2, padding="same", name=f"pool_{level}")(x)
    x = _convolution(x, filters[-1], 3, "bottom_a", padding="same")
    x = _convolution(x, filters[-1], 3, "bottom_b", padding="same")
    x = layers.SpatialDropout2D(dropout, name="spatial_dropout")(x)
    for level, count, across in reversed(skipped):
        x = layers.Conv2DTranspose(count, 2, strides=2, name=f"rise_{level}")(x)
        surplus = x.shape[1] - across.shape[1]  # 1 where an odd side was halved, at the end as in the pooling
        x = layers.Cropping2D(((0, surplus), (0, surplus)), name=f"trim_{level}")(x)
        x = layers.Concatenate(name=f"across_{level}")([across, x])
        x = _convolution(x, count, 3, f"up_{level}a", padding="same")
        x = _convolution(x, count, 3, f"up_{level}b", padding="same")
    x = layers.Cropping2D((x.shape[1] - CENTRE) // 2, name="centre")(x)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    return _joined(layers.Dropout(dropout, name="dropout")(x), auxiliary)


def residual(pixels: Any, *, filters: Sequence[int], dropout: float, auxiliary: Any = None) -> Any:
    """A small residual network (He et al. 2016): a block of two convolutions and a shortcut for each of `filters`.

    Parameters
    ----------
    pixels : tensor
        Softened pixels.
    filters : sequence of int
        Feature maps of each block; each but the first halves the resolution.
    dropout : float
        Fraction dropped of the averages of the last maps.
    """
    x = _convolution(pixels, filters[0], 3, "stem", normalized=True, padding="same")
    for number, count in enumerate(filters, start=1):
        stride = 1 if number == 1 else 2
        shortcut = x
        if stride > 1 or count != x.shape[-1]:
            shortcut = layers.Conv2D(count, 1, strides=stride, name=f"shortcut_{number}")(x)
        x = _convolution(x, count, 3, f"block_{number}a", normalized=True, strides=stride, padding="same")
        x = layers.Conv2D(count, 3, padding="same", use_bias=False, name=f"block_{number}b")(x)
        x = layers.BatchNormalization(momentum=MOMENTUM, name=f"block_{number}b_normalized")(x)
        x = layers.Add(name=f"sum_{number}")([shortcut, x])
        x = layers.ReLU(name=f"sum_{number}_relu")(x)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    return _joined(layers.Dropout(dropout, name="dropout")(x), auxiliary)


def psf_aware(
    patches: Any,
    psf: Any,
    sky_sigma: Sequence[float],
    *,
    shows: Sequence[str],
    tells: Sequence[str],
    core: float,
    model_error: float,
    filters: Sequence[int],
    dense: int,
    dropout: float,
    l2: float,
    auxiliary: Any = None,
) -> Any:
    """A network that compares each source with a point source: whether it is extended depends on the PSF, too.

    In each band, a point source of the flux of the core is subtracted: with patch P and PSF S, its flux is
    ``sum(P S) / sum(S S)`` over the core, the least-squares fit under equal noise.

    Parameters
    ----------
    patches, psf : tensors, (n, size, size, bands)
        Nanomaggies, NaN where there is no data, and the PSF at the source.
    sky_sigma : sequence of float
        Sky noise of each band, nanomaggies per pixel.
    shows : sequence of str
        Images beside the softened patch: ``residual``, what the point source leaves; ``psf``, the PSF itself.
    tells : sequence of str
        Numbers beside the features: ``signal`` (signal-to-noise ratio of the core in each band), ``width`` (of the
        PSF in each band), ``colours`` (of the core).
    core : float
        Radius of the core, pixels.
    model_error : float
        Error of the PSF, as a fraction of the point source in each pixel. The residual is divided by it and the noise.
    filters : sequence of int
        Feature maps of each convolution (3 x 3, pooled by 2).
    dense : int
        Nodes of the dense layer.
    dropout : float
        Fraction dropped of the feature maps and of the dense layer.
    l2 : float
        Weight of the sum of squared kernel weights in the loss.
    """
    known = ops.cast(ops.logical_not(ops.isnan(patches)), "float32")
    flux = ops.where(ops.isnan(patches), ops.zeros_like(patches), patches)
    core_psf = psf * known * _disk(patches.shape[1], core)
    power = ops.sum(core_psf * core_psf, axis=(1, 2), keepdims=True) + 1e-12
    fitted = ops.sum(flux * core_psf, axis=(1, 2), keepdims=True) / power
    point = ops.relu(fitted) * psf

    images = [softened(patches, sky_sigma)]
    if "residual" in shows:
        uncertain = model_error * point
        error = ops.sqrt(uncertain * uncertain + np.array([(3 * sigma) ** 2 for sigma in sky_sigma], np.float32))
        images.append(_arcsinh(known * (flux - point) / error))
    if "psf" in shows:
        images.append(_arcsinh(psf * 100.0))
    x = layers.Concatenate(name="shown")(images) if len(images) > 1 else images[0]
    penalty = keras.regularizers.L2(l2)
    for number, count in enumerate(filters, start=1):
        x = layers.Conv2D(count, 3, activation="relu", kernel_regularizer=penalty, name=f"conv_{number}")(x)
        x = layers.MaxPooling2D(2, name=f"pool_{number}")(x)
        x = layers.SpatialDropout2D(dropout, name=f"spatial_dropout_{number}")(x)

    numbers = []
    if "signal" in tells:
        signal = layers.Rescaling([0.2 / sigma for sigma in sky_sigma], name="signal")(fitted * ops.sqrt(power))
        numbers.append(_arcsinh(signal[:, 0, 0]) / 3.0)
    if "width" in tells:
        numbers.append(2.0 + 0.5 * ops.log(ops.sum(psf * psf, axis=(1, 2)) + 1e-6))
    if "colours" in tells:
        linear = layers.Rescaling([0.1 / sigma for sigma in sky_sigma], name="colours")(fitted)
        magnitude = _arcsinh(linear[:, 0, 0])
        numbers.append(magnitude[:, 1:] - magnitude[:, :-1])
    features = layers.Flatten(name="flatten")(x)
    if numbers:
        features = layers.Concatenate(name="told")([features, *numbers])
    x = _joined(features, auxiliary)
    x = layers.Dense(dense, activation="relu", kernel_regularizer=penalty, name="dense")(x)
    return layers.Dropout(dropout, name="dropout")(x)


def _disk(size: int, radius: float) -> NDArray[np.float32]:
    """A disk around the middle of a patch, (size, size, 1): 1 inside, 0 outside, the share of pixels on the edge."""
    pixels = np.arange(size) - size // 2
    return np.clip(radius + 0.5 - np.hypot(pixels, pixels[:, None]), 0, 1)[:, :, None].astype(np.float32)


def _arcsinh(x: Any) -> Any:
    """The inverse hyperbolic sine; ``ops.arcsinh`` takes six times longer."""
    height = ops.abs(x)
    return ops.sign(x) * ops.log(height + ops.sqrt(height * height + 1.0))


def _joined(x: Any, auxiliary: Any) -> Any:
    """Features ``(n, features)``, joined with the auxiliary inputs if there are any."""
    return x if auxiliary is None else layers.Concatenate(name="joined")([x, auxiliary])


def _convolution(x: Any, filters: int, kernel: int, name: str, *, normalized: bool = False, **more: Any) -> Any:
    """A convolution and its ReLU, with batch normalization between them if `normalized`."""
    if not normalized:
        return layers.Conv2D(filters, kernel, activation="relu", name=name, **more)(x)
    x = layers.Conv2D(filters, kernel, use_bias=False, name=name, **more)(x)
    x = layers.BatchNormalization(momentum=MOMENTUM, name=f"{name}_normalized")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


ARCHITECTURES: dict[str, Callable[..., Any]] = {
    "base": base,
    "regularized": regularized,
    "cnn": cnn,
    "unet": unet,
    "residual": residual,
    PSF_AWARE: psf_aware,
}


def layer_table(model: keras.Model) -> pd.DataFrame:
    """Layers of a network as the report lists them (its section 7.1): ``layer, type, output_shape, parameters``.

    The last row is the total. The input and its softening are left out: they have no parameters.
    """
    rows = [
        {
            "layer": layer.name,
            "type": type(layer).__name__,
            "output_shape": " x ".join(map(str, layer.output.shape[1:])),
            "parameters": layer.count_params(),
        }
        for layer in model.layers
        if not isinstance(layer, layers.InputLayer | layers.Rescaling)
    ]
    return pd.DataFrame([*rows, {"layer": "total", "parameters": model.count_params()}])


def architecture_table(*, model: dict[str, Any], size: int, bands: int) -> pd.DataFrame:
    """`layer_table` of a network that is described by a block of `models` of the configuration.

    Parameters
    ----------
    model : dict
        Arguments of `build`; a learning rate is ignored.
    size : int
        Side of the patches, pixels.
    bands : int
        Number of bands.
    """
    settings = {key: value for key, value in model.items() if key != "learning_rate"}
    return layer_table(build(**settings, size=size, sky_sigma=[1.0] * bands, seed=0))
