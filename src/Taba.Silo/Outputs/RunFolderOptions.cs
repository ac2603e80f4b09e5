namespace Taba.Silo.Outputs;

/// <summary>Options of run folders: format, metrics, and facts for their manifests.</summary>
public sealed record RunFolderOptions
{
    public TensorFormat Format { get; init; } = TensorFormat.Safetensors;

    public bool WithMetrics { get; init; } = true;

    /// <summary>The content of <c>_params</c>; null derives it from the run.</summary>
    public IReadOnlyDictionary<string, string>? Parameters { get; init; }

    /// <summary>The kind of device, for the manifest.</summary>
    public string Device { get; init; } = "cpu";
}
