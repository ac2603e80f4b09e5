using System.Collections.Immutable;
using Taba.Silo.Outputs;
using Taba.Storage.RunFolders;

namespace Taba.Client.Figures;

/// <summary>A run as figures see it: its tensors, and what it is called among others.</summary>
/// <param name="Label">"plain inversion", "forward K = 3".</param>
/// <param name="Tensors">As its manifest has them.</param>
/// <param name="Images">The tensor of samples as pictures.</param>
/// <param name="Steps">T of inversion; null when unknown.</param>
sealed record FigureRun(string Label, OutputFolder Folder, ImmutableArray<RunFile> Tensors, string Images, int? Steps);
