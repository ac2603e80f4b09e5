using Microsoft.Extensions.Logging;
using Taba.Diffusion;
using Taba.Diffusion.Conditions;
using Taba.Diffusion.Engine;
using Taba.Diffusion.Models;
using Taba.Silo.Devices;
using Taba.Silo.Models;

namespace Taba.Silo.Conditions;

/// <summary>
/// Embeds prompts, each different one once for all stages and sweeps of a store. The text encoder is on the device only while
/// prompts are missing: it takes all that the stage will need, and leaves. Of several devices it is the first.
/// </summary>
sealed partial class PromptEmbeddings(SiloDevices devices, EmbeddingStore store, ILogger<PromptEmbeddings> logger) : IAsyncDisposable
{
    readonly Lazy<DeviceThread> _thread = new(() => new DeviceThread("taba-text-encoder"));

    /// <summary>The embeddings that a stage needs: those of its prompts, and of the empty one.</summary>
    public async Task<EmbeddedPrompts> OfAsync(StageSpec spec, PromptSource source, CancellationToken cancellationToken)
    {
        var definition = ModelDefinitions.Of(spec.Model);
        var embedded = new EmbeddedPrompts(store, spec.Model.Digest, spec.Precision.Network, definition.TextShape
            ?? throw new InvalidOperationException($"Model {definition.Name} takes no text."));
        var wanted = source.Prompts.Append("").Distinct().ToList();
        if (wanted.Any(prompt => !embedded.Has(prompt)))
        {
            await _thread.Value.RunAsync(
                () => Embed(definition, spec, embedded, [.. wanted.Where(prompt => !embedded.Has(prompt))], cancellationToken),
                cancellationToken);
        }
        return embedded;
    }

    public async ValueTask DisposeAsync()
    {
        if (_thread.IsValueCreated)
            await _thread.Value.DisposeAsync();
    }

    /// <summary>On the thread. Others may have embedded some of them while it waited.</summary>
    int Embed(
        ModelDefinition definition, StageSpec spec, EmbeddedPrompts embedded, List<string> missing, CancellationToken cancellationToken)
    {
        if (missing.Count == 0)
            return 0;
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var dtype = spec.Precision.Network.ToScalarType();
        using var encoder = definition.LoadTextEncoder(devices[0].Device, dtype);
        foreach (var prompt in missing)
        {
            cancellationToken.ThrowIfCancellationRequested();
            // One at a time: the embedding of a prompt must not depend on the others.
            embedded.Add(prompt, encoder.Encode(prompt));
        }
        LogEmbedded(logger, missing.Count, definition.Name, clock.Elapsed.TotalSeconds);
        return missing.Count;
    }

    [LoggerMessage(4201, LogLevel.Information, "Embedded {Count} prompts for model {Model} in {Seconds:F2} s")]
    static partial void LogEmbedded(ILogger logger, int count, string model, double seconds);
}

/// <summary>Embedded prompts of one model in one precision.</summary>
sealed class EmbeddedPrompts(EmbeddingStore store, string modelDigest, Dtype dtype, TextShape shape)
{
    public bool Has(string prompt) => store.Has(Key(prompt));

    /// <summary>An embedding that is there.</summary>
    public TextEmbedding Of(string prompt)
    {
        var key = Key(prompt);
        return new(key, store.Read(key, shape, dtype.ToScalarType()), dtype.ToScalarType(), shape);
    }

    public void Add(string prompt, ReadOnlyMemory<byte> values) => store.Write(Key(prompt), shape, dtype.ToScalarType(), values.Span);

    string Key(string prompt) => EmbeddingStore.Key(modelDigest, dtype.Name(), prompt);
}
