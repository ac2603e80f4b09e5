using Taba.Diffusion.Models;
using Taba.Diffusion.Sampling;
using static TorchSharp.torch;

namespace Taba.Diffusion.Engine;

/// <summary>
/// The prompts of the trajectories that have a slot, each once on the device, however many of them share it. Used by the
/// engine's thread alone.
/// </summary>
sealed class TextTable(Device device, ScalarType type) : IDisposable
{
    readonly Dictionary<string, (Tensor Tensor, int Users)> _prompts = new(StringComparer.Ordinal);

    /// <summary>Prompts on the device.</summary>
    public int Count => _prompts.Count;

    /// <summary>Brings the prompts of a trajectory to the device, unless they are there.</summary>
    public void Hold(Trajectory trajectory)
    {
        Hold(trajectory.Text!);
        if (Guidance.IsOn(trajectory.Guidance))
            Hold(trajectory.NullText!);
    }

    /// <summary>Lets go of what <see cref="Hold(Trajectory)"/> held.</summary>
    public void Release(Trajectory trajectory)
    {
        Release(trajectory.Text!.Key);
        if (Guidance.IsOn(trajectory.Guidance))
            Release(trajectory.NullText!.Key);
    }

    /// <summary>The embeddings of a batch.</summary>
    /// <param name="rows">Rows of the network; from <paramref name="guidedFrom"/> on those without condition.</param>
    /// <param name="guidedFrom">Where the unconditional rows begin.</param>
    /// <param name="shape">Rows of the result; padding repeats the first row.</param>
    /// <returns>[shape,L,D].</returns>
    public Tensor Batch(List<Trajectory> rows, int guidedFrom, int shape)
    {
        using var scope = NewDisposeScope();
        var tensors = new Tensor[shape];
        for (var i = 0; i < shape; i++)
        {
            var row = rows[i < rows.Count ? i : 0];
            tensors[i] = _prompts[(i >= guidedFrom && i < rows.Count ? row.NullText! : row.Text!).Key].Tensor;
        }
        return stack(tensors).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        foreach (var (tensor, _) in _prompts.Values)
            tensor.Dispose();
        _prompts.Clear();
    }

    void Hold(TextEmbedding prompt)
    {
        if (_prompts.TryGetValue(prompt.Key, out var held))
        {
            _prompts[prompt.Key] = held with { Users = held.Users + 1 };
            return;
        }
        using var scope = NewDisposeScope();
        var host = empty([prompt.Shape.Length, prompt.Shape.Width], dtype: prompt.Type);
        prompt.Values.Span.CopyTo(host.bytes);
        _prompts[prompt.Key] = (host.to(type, device).DetachFromDisposeScope(), 1);
    }

    void Release(string key)
    {
        var held = _prompts[key];
        if (held.Users > 1)
        {
            _prompts[key] = held with { Users = held.Users - 1 };
            return;
        }
        held.Tensor.Dispose();
        _prompts.Remove(key);
    }
}
