using Taba.Testing.Stores;

[assembly: AssemblyFixture(typeof(BlobServer))]
