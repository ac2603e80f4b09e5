using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Layers;

/// <summary>
/// What each residual block makes of the time embedding by a linear layer of its own. Plain: each when it is asked. Fast: all of them by
/// one product, before the first is asked; a block takes its part.
/// </summary>
sealed class TimeProjections(ParameterSet parameters)
{
    readonly List<string> _prefixes = [];
    readonly List<Linear> _plain = [];
    readonly List<(long Start, long Length)> _parts = [];
    Linear? _together;

    /// <summary>Declares a block's projection.</summary>
    /// <param name="prefix">Of its parameters.</param>
    /// <returns>Its number.</returns>
    public int Add(string prefix)
    {
        _prefixes.Add(prefix);
        if (!parameters.IsFast)
        {
            _plain.Add(parameters.Linear(prefix));
            return _plain.Count - 1;
        }
        var start = _parts.Count == 0 ? 0 : _parts[^1].Start + _parts[^1].Length;
        _parts.Add((start, parameters[$"{prefix}.weight"].size(0)));
        return _parts.Count - 1;
    }

    /// <summary>Joins what was declared. Called once, after the last block.</summary>
    public void Complete()
    {
        if (_parts.Count > 0)
            _together = parameters.Linear(_prefixes);
    }

    /// <summary>What <see cref="Of"/> needs of an embedding.</summary>
    /// <param name="emb">[B,time width], activated.</param>
    public Tensor Prepare(Tensor emb) => _together is null ? emb.alias() : _together.Forward(emb);

    /// <summary>A block's projection.</summary>
    /// <param name="prepared">Of <see cref="Prepare"/>.</param>
    /// <param name="number">Of <see cref="Add"/>.</param>
    /// <returns>[B,the block's width or twice that].</returns>
    public Tensor Of(Tensor prepared, int number) => _together is null
        ? _plain[number].Forward(prepared)
        : prepared.narrow(1, _parts[number].Start, _parts[number].Length);
}
